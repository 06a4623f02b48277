// Draws samples from a trained VAE and writes them as one picture: sample vae.so vae.safetensors
// out.pgm
#include "gen/runtime.hpp"

#include <fstream>
#include <iostream>

// The images [count, 28 * 28] under each other, as a grey picture of the PGM format.
static void writePgm(const std::string &path, const gen::View &images) {
  std::ofstream file(path, std::ios::binary);
  file << "P5 28 " << images.dimension(0) * 28 << " 255\n";
  for (float value : images.values<float>())
    file.put(static_cast<char>(static_cast<unsigned char>(value * 255.0F + 0.5F)));
  if (!file.flush())
    throw std::runtime_error(path + ": cannot write the picture");
}

int main(int argc, char **argv) {
  if (argc != 4) {
    std::cerr << "usage: sample MODEL.so WEIGHTS.safetensors PICTURE.pgm\n";
    return 2;
  }
  try {
    gen::Model model = gen::Model::open(argv[1]);
    gen::SessionOptions options;
    options.seed = 7;
    gen::Session session(model, options);
    session.load(argv[2]);
    writePgm(argv[3], session.call("sample")["x"]);
  } catch (const std::exception &error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
}
