//===- CommandLine.h - what the tools' command lines share ------*- C++ -*-===//
//
// Wrong usage: "error: ..." on stderr and exit status 2. No MLIR: gen-run is built without.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_TOOLS_COMMANDLINE_H
#define GEN_TOOLS_COMMANDLINE_H

#include <CLI/CLI.hpp>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string>

namespace gen::tools {

inline constexpr int kDone = 0, kBadInput = 1, kWrongUsage = 2;

inline int wrongUsage(const std::string &tool, const std::string &what) {
  std::fprintf(stderr, "error: %s\nhint: %s --help lists the options\n", what.c_str(),
               tool.c_str());
  return kWrongUsage;
}

/// The exit status of a command line that could not be parsed, or asks for help (which is printed).
inline int exitStatus(const CLI::App &app, const CLI::ParseError &error) {
  return error.get_exit_code() == kDone ? app.exit(error)
                                        : wrongUsage(app.get_name(), error.what());
}

/// A check for options: a whole number from 0 to 2^64 - 1. The library itself takes "-1" for the
/// largest.
inline std::string checkSeed(const std::string &text) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool valid = error == std::errc() && end == text.data() + text.size();
  return valid ? "" : "'" + text + "' is no seed; expected a whole number from 0 to 2^64 - 1";
}

} // namespace gen::tools

#endif // GEN_TOOLS_COMMANDLINE_H
