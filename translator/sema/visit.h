// Every expression of a statement, every part of an expression: one place that knows the tree.
#pragma once

#include <functional>

#include "syntax/ast.h"

namespace stp::sema {

// Calls `use` for each expression that is directly part of the node (null ones left out).
void children(const ast::Expr&, const std::function<void(const ast::Expr&)>& use);

// Calls `expression` and `statement` for what is directly part of the statement.
void parts(const ast::Stmt&, const std::function<void(const ast::Expr&)>& expression,
           const std::function<void(const ast::Stmt&)>& statement);

// Calls `expression` for every expression below, outermost first, and `statement` for every
// statement, this one first. Either may be empty.
void walk(const ast::Stmt&, const std::function<void(const ast::Expr&)>& expression,
          const std::function<void(const ast::Stmt&)>& statement = {});
void walk(const ast::Expr&, const std::function<void(const ast::Expr&)>& expression);

}  // namespace stp::sema
