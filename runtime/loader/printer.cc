#include "printer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "stp/format.h"

namespace stp::load {
namespace {

// Takes values off the front of a record's payload. Nothing is believed: a length that does not
// fit ends the record.
class PayloadReader {
 public:
  explicit PayloadReader(std::string_view payload) : rest_(payload) {}

  bool number(stp_s64& value) {
    if (rest_.size() < sizeof value) return false;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return true;
  }

  bool string(const char*& text, stp_u32& length) {
    if (rest_.size() < sizeof length) return false;
    std::memcpy(&length, rest_.data(), sizeof length);
    size_t whole = (size_t{length} + sizeof length + 7) & ~size_t{7};
    if (rest_.size() < whole) return false;
    text = rest_.data() + sizeof length;
    rest_.remove_prefix(whole);
    return true;
  }

  bool histogram(const stp_histogram_head*& head) {
    head = reinterpret_cast<const stp_histogram_head*>(rest_.data());
    if (rest_.size() < sizeof *head) return false;
    size_t whole = sizeof *head + size_t{head->buckets} * sizeof(stp_s64);
    if (rest_.size() < whole) return false;
    rest_.remove_prefix(whole);
    return true;
  }

 private:
  std::string_view rest_;
};

// False when the payload has fewer.
bool take_arguments(const std::string& letters, std::string_view payload,
                    std::vector<stp_format_arg>& args) {
  args.clear();
  PayloadReader reader(payload);
  for (char letter : letters) {
    stp_format_arg arg{};
    bool good = letter == 'l'   ? reader.number(arg.number)
                : letter == 's' ? reader.string(arg.text, arg.len)
                                : reader.histogram(arg.histogram);
    if (!good) return false;
    args.push_back(arg);
  }
  return true;
}

std::string_view text_of(const Record& record) {
  const char* text = nullptr;
  stp_u32 length = 0;
  if (!PayloadReader(record.payload).string(text, length)) return {};
  return {text, length};
}

}  // namespace

int Output::flush() {
  if (backlog_) return backlog_->put(buffer_);
  size_t done = 0;
  int error = 0;
  while (done < buffer_.size()) {
    std::string_view rest = std::string_view(buffer_).substr(done);
    size_t length = rotation_ ? rotation_->make_room(rest) : rest.size();
    ssize_t written = length ? write(fd_, rest.data(), length) : -1;
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      error = errno;
      break;
    }
    done += static_cast<size_t>(written);
    if (rotation_) rotation_->wrote(rest.substr(0, static_cast<size_t>(written)));
  }
  buffer_.erase(0, done);
  return error;
}

void Printer::print(const Record& record) {
  switch (record.head->kind) {
    case STP_RECORD_FORMAT:
      return print_format(record);
    case STP_RECORD_TEXT:
      return out_.append(text_of(record));
    case STP_RECORD_ERROR:
      return messages_.append(fmt::format("ERROR: {}\n", text_of(record)));
    case STP_RECORD_WARN:
      return messages_.append(fmt::format("WARNING: {}\n", text_of(record)));
  }
}

void Printer::print_format(const Record& record) {
  if (record.head->format >= formats_.size())
    return messages_.append("stp: a record names a format that the module does not have\n");
  const Format& format = formats_[record.head->format];
  if (!take_arguments(format.letters, record.payload, args_)) return messages_.append("stp: a record is shorter than its format\n");
  // Most lines fit the room that is tried first; the rest are formatted again.
  std::string& buffer = out_.buffer();
  size_t start = buffer.size();
  size_t room = 256;
  for (;;) {
    buffer.resize(start + room);
    size_t length = stp_format(buffer.data() + start, room, format.text.c_str(),
                               format.letters.c_str(), args_.data(), args_.size());
    buffer.resize(start + std::min(length, room));
    if (length < room) return;
    room = length + 1;
  }
}

}  // namespace stp::load
