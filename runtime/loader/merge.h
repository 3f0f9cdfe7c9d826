// `stp merge`: the files of bulk mode to text.
#pragma once

#include <string>
#include <vector>

namespace stp::load {

// Prints the records of all files to `fd`, in order of time; with `labels`, "[cpu,number,length]" in
// front of each. What is wrong with files (damaged, torn, of different runs) is said on stderr; what
// is whole is printed all the same, unless the files do not belong together. Returns the exit status.
int merge_files(const std::vector<std::string>& paths, int fd, bool labels);

}  // namespace stp::load
