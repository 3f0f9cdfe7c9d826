// netfilter.hook("HOOK").pf("FAMILY"), the two in either order, with .priority("PRIORITY"): packets on
// their way through the protocol stack. Names are the kernel's (uapi linux/netfilter*.h), numbers of
// its interface to user space; a priority may be a number. In guru mode any name is taken that
// the kernel's types have for a number, and numbers everywhere (stapprobes(3stap), NETFILTER HOOKS).
#include <fmt/format.h>

#include <charconv>

#include "probes/kind.h"

namespace stp::probes {
namespace {

struct Named {
  const char* name;
  int value;
};

constexpr Named families[] = {
    {"NFPROTO_IPV4", 2}, {"NFPROTO_ARP", 3}, {"NFPROTO_BRIDGE", 7}, {"NFPROTO_IPV6", 10}};
// Known in guru mode: macros, which types do not tell.
constexpr Named older_families[] = {
    {"PF_INET", 2}, {"PF_BRIDGE", 7}, {"PF_INET6", 10}, {"AF_INET", 2}, {"AF_BRIDGE", 7}, {"AF_INET6", 10}};

constexpr Named ip_hooks[] = {
    {"NF_INET_PRE_ROUTING", 0}, {"NF_INET_LOCAL_IN", 1},     {"NF_INET_FORWARD", 2},
    {"NF_INET_LOCAL_OUT", 3},   {"NF_INET_POST_ROUTING", 4}, {"NF_IP_PRE_ROUTING", 0},
    {"NF_IP_LOCAL_IN", 1},      {"NF_IP_FORWARD", 2},        {"NF_IP_LOCAL_OUT", 3},
    {"NF_IP_POST_ROUTING", 4}};
constexpr Named ip6_hooks[] = {{"NF_IP6_PRE_ROUTING", 0},
                               {"NF_IP6_LOCAL_IN", 1},
                               {"NF_IP6_FORWARD", 2},
                               {"NF_IP6_LOCAL_OUT", 3},
                               {"NF_IP6_POST_ROUTING", 4}};
constexpr Named arp_hooks[] = {{"NF_ARP_IN", 0}, {"NF_ARP_OUT", 1}, {"NF_ARP_FORWARD", 2}};
constexpr Named bridge_hooks[] = {{"NF_BR_PRE_ROUTING", 0},
                                  {"NF_BR_LOCAL_IN", 1},
                                  {"NF_BR_FORWARD", 2},
                                  {"NF_BR_LOCAL_OUT", 3},
                                  {"NF_BR_POST_ROUTING", 4}};

constexpr Named ip_priorities[] = {
    {"NF_IP_PRI_FIRST", INT32_MIN},        {"NF_IP_PRI_CONNTRACK_DEFRAG", -400},
    {"NF_IP_PRI_RAW", -300},               {"NF_IP_PRI_SELINUX_FIRST", -225},
    {"NF_IP_PRI_CONNTRACK", -200},         {"NF_IP_PRI_MANGLE", -150},
    {"NF_IP_PRI_NAT_DST", -100},           {"NF_IP_PRI_FILTER", 0},
    {"NF_IP_PRI_SECURITY", 50},            {"NF_IP_PRI_NAT_SRC", 100},
    {"NF_IP_PRI_SELINUX_LAST", 225},       {"NF_IP_PRI_CONNTRACK_CONFIRM", INT32_MAX},
    {"NF_IP_PRI_LAST", INT32_MAX},         {"NF_IP_PRI_RAW_BEFORE_DEFRAG", -450},
    {"NF_IP_PRI_CONNTRACK_HELPER", 300}};
constexpr Named ip6_priorities[] = {
    {"NF_IP6_PRI_FIRST", INT32_MIN},       {"NF_IP6_PRI_CONNTRACK_DEFRAG", -400},
    {"NF_IP6_PRI_RAW", -300},              {"NF_IP6_PRI_SELINUX_FIRST", -225},
    {"NF_IP6_PRI_CONNTRACK", -200},        {"NF_IP6_PRI_MANGLE", -150},
    {"NF_IP6_PRI_NAT_DST", -100},          {"NF_IP6_PRI_FILTER", 0},
    {"NF_IP6_PRI_SECURITY", 50},           {"NF_IP6_PRI_NAT_SRC", 100},
    {"NF_IP6_PRI_SELINUX_LAST", 225},      {"NF_IP6_PRI_CONNTRACK_HELPER", 300},
    {"NF_IP6_PRI_LAST", INT32_MAX},        {"NF_IP6_PRI_RAW_BEFORE_DEFRAG", -450}};

struct Family {
  int number;
  std::span<const Named> hooks, priorities;
};
const Family known[] = {{2, ip_hooks, ip_priorities},
                        {10, ip6_hooks, ip6_priorities},
                        {3, arp_hooks, {}},
                        {7, bridge_hooks, {}}};

std::optional<int64_t> number_in(const std::string& text) {
  const char *begin = text.data() + text.starts_with('+'), *end = text.data() + text.size();
  int value = 0;
  auto read = std::from_chars(begin, end, value);
  if (read.ec == std::errc{} && read.ptr == end) return value;
  return std::nullopt;
}

std::optional<int64_t> find(std::span<const Named> table, const std::string& name) {
  for (const Named& row : table)
    if (name == row.name) return row.value;
  return std::nullopt;
}

// Guru mode: an enumerator of the kernel's.
std::optional<int64_t> in_the_kernel(const Request& request, const std::string& name) {
  if (auto older = find(older_families, name)) return older;
  const types::Provider* provider = request.provider();
  return provider ? provider->enumerator(name) : std::nullopt;
}

// What component `part` names; an error when it is neither in the table, nor a number where one may be.
std::optional<int64_t> value_of(const Request& request, const char* part, std::span<const Named> table,
                                bool numbers) {
  const std::string& name = *request.text(part);
  if (auto value = find(table, name)) return value;
  if (numbers || request.guru)
    if (auto value = number_in(name)) return value;
  if (request.guru)
    if (auto value = in_the_kernel(request, name)) return value;
  std::vector<std::string> names;
  for (const Named& row : table) names.push_back(row.name);
  auto& error = request.diagnostics.error(
      Code::no_match, request.component(part).arg_span,
      fmt::format("netfilter has no {} '{}'{}", part[0] == 'p' && part[1] == 'f' ? "family" : part, name,
                  table.data() == families ? "" : " in " + *request.text("pf")));
  for (const auto& near : nearest(name, names)) error.note(fmt::format("did you mean '{}'?", near));
  if (names.empty())
    error.note("a priority here is a number");
  else
    error.note(fmt::format("there are {}{}", fmt::join(names, ", "), numbers ? ", and numbers" : ""));
  return std::nullopt;
}

void resolve(const Request& request, std::vector<Found>& found) {
  auto number = value_of(request, "pf", families, false);
  if (!number) return;
  const Family* family = std::find_if(std::begin(known), std::end(known),
                                      [&](const Family& f) { return f.number == *number; });
  if (family == std::end(known)) {
    request.diagnostics.error(Code::no_match, request.component("pf").arg_span,
                              fmt::format("family {} has no hooks that packets pass", *number));
    return;
  }
  auto hook = value_of(request, "hook", family->hooks, false);
  std::optional<int64_t> priority = 0;
  if (request.has("priority")) priority = value_of(request, "priority", family->priorities, true);
  if (!hook || !priority) return;
  if (*hook < 0 || *hook > family->hooks.back().value) {
    request.diagnostics.error(Code::bad_interval, request.component("hook").arg_span,
                              fmt::format("hook {} is not between 0 and {}", *hook,
                                          family->hooks.back().value));
    return;
  }
  Found f{};
  f.point.kind = prog::PointKind::netfilter;
  f.point.name = spell(request.components);
  f.point.offset = static_cast<uint32_t>(*number);
  f.point.number = *hook;
  f.point.number2 = *priority;
  f.surroundings.kind = Surroundings::Kind::hook;
  // In the order of runtime/probes/netfilter.c.
  f.surroundings.arguments = {{"hooknum", "unsigned int"},
                              {"skb", "struct sk_buff *"},
                              {"in", "struct net_device *"},
                              {"out", "struct net_device *"},
                              {"verdict", "unsigned int", true}};
  found.push_back(std::move(f));
}

}  // namespace

std::span<const Kind> netfilter_kinds() {
  const Part netfilter{"netfilter"}, hook{"hook", Arg::string}, family{"pf", Arg::string},
      priority{"priority", Arg::string};
  static const std::vector<Kind> table = {
      {{netfilter, hook, family}, resolve},
      {{netfilter, family, hook}, resolve},
      {{netfilter, hook, family, priority}, resolve},
      {{netfilter, family, hook, priority}, resolve},
  };
  return table;
}

}  // namespace stp::probes
