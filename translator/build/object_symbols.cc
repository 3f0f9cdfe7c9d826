// Read in this process: `nm` would do, and cost a process for each script.
#include "build/object_symbols.h"

#include <elf.h>

#include "build/object_file.h"

namespace stp {

ObjectSymbols object_symbols(const std::filesystem::path& object) {
  ObjectSymbols symbols;
  for (const ObjectSymbol& symbol : read_object(object).symbols)
    if (!symbol.name.empty() && symbol.binding != STB_LOCAL)
      (symbol.section == SHN_UNDEF ? symbols.undefined : symbols.defined).insert(symbol.name);
  return symbols;
}

}  // namespace stp
