// Packed weights in a file, for processes that pack the same weights later.
#pragma once
#include <string>

#include "core/program.h"

namespace torchscript {

// The names of files are those of what is in them (Program::weights_digest): other weights, or another build, have other files.

// Writes all packed forms of the weights of a program. Throws std::system_error.
void write_packs(Program& program, const std::string& path);
// Maps a file and gives the program's weights the packed forms in it, or copies of them on huge pages where the file has none. How many they got; `problem` says why not, where the file is damaged or
// not one of ours.
size_t read_packs(Program& program, const std::string& path, std::string* problem);

}  // namespace torchscript
