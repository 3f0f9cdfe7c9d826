// Values to text, compared with the C library where the two agree.
#include "stp/format.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace {

stp_format_arg number(stp_s64 n) { return {n, nullptr, 0, nullptr}; }
stp_format_arg text(const char* s) { return {0, s, static_cast<stp_u32>(strlen(s)), nullptr}; }

std::string format(const char* format, const char* letters, std::vector<stp_format_arg> args,
                   size_t room = 4096) {
  std::string out(room, '?');
  size_t n = stp_format(out.data(), room, format, letters, args.data(), args.size());
  out.resize(std::min(n, room));
  return out;
}

TEST(Format, NumbersAreAsInTheCLibrary) {
  for (const char* spec : {"%d", "%5d", "%-5d|", "%05d", "%+d", "% d", "%.3d", "%8.3d", "%-8.3d|",
                           "%x", "%#x", "%X", "%#X", "%#10x", "%-#10x|", "%010x", "%o", "%#o",
                           "%u", "%i", "%.0d", "%c", "%4c", "%-4c|", "%#06x", "%+05d"}) {
    for (long long value : {0LL, 1LL, 7LL, 65LL, 12345LL, -1LL, -12345LL, 1LL << 62}) {
      if (strchr(spec, 'c') && (value < 1 || value > 127)) continue;
      std::string wide = spec;
      if (!strchr(spec, 'c')) wide.insert(wide.find_first_of("dxXoui"), "ll");
      char expected[100];
      snprintf(expected, sizeof expected, wide.c_str(), value);
      EXPECT_EQ(format(spec, "l", {number(value)}), expected) << spec << " of " << value;
    }
  }
}

TEST(Format, TheLeastNumberAndUnsigned) {
  EXPECT_EQ(format("%d", "l", {number(INT64_MIN)}), "-9223372036854775808");
  EXPECT_EQ(format("%u", "l", {number(-1)}), "18446744073709551615");
  EXPECT_EQ(format("%p", "l", {number(0xffff888000000000)}), "0xffff888000000000");
  EXPECT_EQ(format("%p", "l", {number(0)}), "0x0");
}

TEST(Format, StringsTakeWidthAndPrecision) {
  EXPECT_EQ(format("%s|%6s|%-6s|%.2s|%6.2s", "sssss",
                   {text("abc"), text("abc"), text("abc"), text("abc"), text("abc")}),
            "abc|   abc|abc   |ab|    ab");
}

TEST(Format, TextOfEveryLengthIsCopiedWhole) {
  std::string letters;
  for (char letter = 'a'; letters.size() < 40; letter = letter == 'z' ? 'A' : letter + 1) letters += letter;
  for (size_t length = 0; length <= letters.size(); length++) {
    std::string part = letters.substr(0, length);
    EXPECT_EQ(format("<%s>", "s", {text(part.c_str())}), "<" + part + ">");
    for (size_t room = 0; room <= length; room++) {
      std::string out(length + 1, '?');
      stp_format_arg arg = text(part.c_str());
      EXPECT_EQ(stp_format(out.data(), room, "%s", "s", &arg, 1), length);
      EXPECT_EQ(out, part.substr(0, room) + std::string(length + 1 - room, '?')) << "room " << room;
    }
  }
}

TEST(Format, StarsAreArguments) {
  EXPECT_EQ(format("%*d|%-*d|%.*s|%*s", "lllllsls",
                   {number(5), number(42), number(5), number(42), number(2), text("abc"), number(-4),
                    text("x")}),
            "   42|42   |ab|x   ");
}

TEST(Format, BinaryWritesBytes) {
  EXPECT_EQ(format("%2b%1b%b", "lll", {number(0x4241), number(0x43), number(0x4847464544434241)}),
            "ABCABCDEFGH");
}

TEST(Format, EscapedCharacters) {
  EXPECT_EQ(format("%#c%#c%#c%#c", "llll", {number(0), number(9), number(42), number(127)}),
            "\\000\\t*\\177");
  EXPECT_EQ(format("[%#5c] [%-#5c] [%c]", "lll", {number(10), number(255), number(65)}),
            "[   \\n] [\\377 ] [A]");
}

TEST(Format, PercentAndMissingArguments) {
  EXPECT_EQ(format("100%% %d%s.", "l", {number(1)}), "100% 1.");
  EXPECT_EQ(format("%", "", {}), "");
}

TEST(Format, TellsTheWholeLengthWhenTheRoomIsSmall) {
  char out[4] = {'?', '?', '?', '?'};
  stp_format_arg arg = text("abcdef");
  EXPECT_EQ(stp_format(out, 3, "%10s", "s", &arg, 1), 10u);
  EXPECT_EQ(std::string(out, 4), "   ?");
  EXPECT_EQ(stp_format(nullptr, 0, "%s", "s", &arg, 1), 6u);
}

TEST(Format, AnAbsurdWidthIsCountedNotWritten) {
  stp_format_arg args[] = {number(INT64_MAX), number(1)};
  char out[8];
  EXPECT_EQ(stp_format(out, sizeof out, "%*d", "ll", args, 2), size_t{1} << 24);
}

// ------------------------------------------------------------- histograms

struct Histogram {
  stp_histogram_head head{};
  stp_s64 buckets[STP_HIST_LOG_BUCKETS] = {};
  std::string print() {
    size_t n = stp_format_histogram(nullptr, 0, &head, buckets);
    std::string out(n, '?');
    EXPECT_EQ(stp_format_histogram(out.data(), n, &head, buckets), n);
    return out;
  }
};

std::string row(const char* label, int bar, const char* count) {
  std::string line = label;
  return line + " |" + std::string(bar, '@') + std::string(51 - bar, ' ') + count + "\n";
}
const std::string head = "value |" + std::string(50, '-') + " count\n";

TEST(HistogramText, LogarithmicRowsAreTrimmedToTwoEmptyOnes) {
  Histogram h;
  h.head.buckets = STP_HIST_LOG_BUCKETS;
  h.buckets[65] = 1;  // 1
  h.buckets[66] = 2;  // 2 and 3
  EXPECT_EQ(h.print(), head + row("    0", 0, "0") + row("    1", 1, "1") + row("    2", 2, "2") +
                           row("    4", 0, "0") + row("    8", 0, "0"));
}

TEST(HistogramText, AGapIsOneTilde) {
  Histogram h;
  h.head.buckets = STP_HIST_LOG_BUCKETS;
  h.buckets[64] = 1;       // 0
  h.buckets[64 + 11] = 1;  // 1024
  EXPECT_EQ(h.print(), head + row("    0", 1, "1") + row("    1", 0, "0") + row("    2", 0, "0") +
                           "      ~\n" + row("  256", 0, "0") + row("  512", 0, "0") +
                           row(" 1024", 1, "1") + row(" 2048", 0, "0") + row(" 4096", 0, "0"));
}

TEST(HistogramText, LinearRowsHaveOutliersOnlyWhenThereAreSome) {
  Histogram h;
  h.head = {0, 30, 10, 6, 0};  // <0, 0, 10, 20, 30, >30
  h.buckets[2] = 100;
  h.buckets[3] = 50;
  EXPECT_EQ(h.print(), head + row("    0", 0, "  0") + row("   10", 50, "100") +
                           row("   20", 25, " 50") + row("   30", 0, "  0"));
  h.buckets[0] = 1;
  h.buckets[5] = 2;
  EXPECT_EQ(h.print(), head + row("   <0", 0, "  1") + row("    0", 0, "  0") +
                           row("   10", 50, "100") + row("   20", 25, " 50") +
                           row("   30", 0, "  0") + row("  >30", 1, "  2"));
}

TEST(HistogramText, NegativeValuesAndHugeCounts) {
  Histogram h;
  h.head.buckets = STP_HIST_LOG_BUCKETS;
  h.buckets[63] = INT64_MAX;  // -1
  EXPECT_NE(h.print().find("   -1 |" + std::string(50, '@') + " 9223372036854775807\n"),
            std::string::npos)
      << h.print();
}

}  // namespace
