// Writing files so that a reader never sees half of one.
#ifndef GEN_FILES_HPP
#define GEN_FILES_HPP

#include <string>
#include <string_view>

namespace gen {

/// Replaces the file at `path` with `bytes`: writes a file beside it, syncs it and renames it, so
/// that the old file survives any failure. Throws std::runtime_error, which names the path and the
/// reason.
void writeFileAtomically(const std::string &path, std::string_view bytes);

/// Creates the folder and those above it. Throws std::runtime_error where that is not possible.
void createFolder(const std::string &path);

} // namespace gen

#endif // GEN_FILES_HPP
