// A folder of its own for a test, removed at its end, and small files in it.
#ifndef GEN_TEST_SUPPORT_FILES_H
#define GEN_TEST_SUPPORT_FILES_H

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <zlib.h>

namespace gen::test {

class Folder {
public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "gencc-test-XXXXXX").string();
    if (!mkdtemp(name.data()))
      throw std::runtime_error("cannot make a folder for the test");
    root = name;
  }
  Folder(const Folder &) = delete;
  Folder &operator=(const Folder &) = delete;
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(root, error);
  }

  std::string path(const std::string &name) const { return (root / name).string(); }
  std::string write(const std::string &name, const std::string &bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  std::string writeCompressed(const std::string &name, const std::string &bytes) const {
    gzFile file = gzopen(path(name).c_str(), "wb");
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
    return path(name);
  }
  std::string read(const std::string &name) const {
    std::ostringstream text;
    text << std::ifstream(path(name), std::ios::binary).rdbuf();
    return text.str();
  }
  size_t entries() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(root),
                                             std::filesystem::directory_iterator()));
  }

private:
  std::filesystem::path root;
};

// What an action throws, or "" if it throws nothing.
template <typename Action> std::string errorOf(Action action) {
  try {
    action();
  } catch (const std::exception &error) {
    return error.what();
  }
  return "";
}

} // namespace gen::test

#endif // GEN_TEST_SUPPORT_FILES_H
