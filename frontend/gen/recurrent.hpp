//===- gen/recurrent.hpp - recurrent layers ---------------------*- C++ -*-===//
//
// RNN, GRU and LSTM with the names, shapes, gates and initial values of PyTorch's layers. The
// products with the inputs of all steps are one product before the loop; a step adds the product
// with the state.
//
// Hochreiter and Schmidhuber: Long Short-Term Memory, 1997. Cho et al.: Learning Phrase
// Representations using RNN Encoder-Decoder, 2014.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_RECURRENT_HPP
#define GEN_RECURRENT_HPP

#include "gen/builder.hpp"

namespace gen {

// NOLINTBEGIN(readability-identifier-naming): PyTorch's names

struct RecurrentOptions {
  int64_t layers = 1; ///< one upon the other
  bool bias = true;
  bool batch_first = false;   ///< [batch, steps, ...] rather than [steps, batch, ...]
  double dropout = 0;         ///< of the outputs of each layer but the last, in training entries
  bool bidirectional = false; ///< each layer also runs from the last step to the first
};

/// What a recurrent layer returns. Where it is bidirectional, `output` is 2 hidden wide, forward
/// before backward, and there are twice as many states: each layer's forward, then its backward
/// one.
struct RecurrentResult {
  Tensor output; ///< the last layer's hidden state in every step: [steps, batch, hidden]
  Tensor hidden; ///< of every layer after the last step: [layers, batch, hidden]
  Tensor cell;   ///< LSTM only: [layers, batch, hidden]
};

/// Variables weight_ih_l0 [gates * hidden, inputs], weight_hh_l0 [gates * hidden, hidden],
/// bias_ih_l0, bias_hh_l0 [gates * hidden] under `scope`, weight_ih_l0_reverse, ... for the
/// backward direction, and so on for each layer; uniform in +-1 / sqrt(hidden).
class Recurrent {
public:
  /// Applies all layers to x [steps, batch, inputs], or [batch, steps, inputs]. The state starts
  /// with `hidden` and `cell` [layers, batch, hidden], zeros where they refer to nothing.
  RecurrentResult operator()(const Tensor &x, const Tensor &hidden = {}, const Tensor &cell = {},
                             SourceLocation where = SourceLocation::current()) const;

protected:
  /// State of one layer: h, and c for an LSTM.
  using State = std::vector<Tensor>;

  Recurrent(const Scope &scope, const char *kind, int64_t gates, int64_t inputs, int64_t hidden,
            RecurrentOptions options, SourceLocation where);
  virtual ~Recurrent() = default;

  struct Layer {
    Variable weight_ih, weight_hh, bias_ih, bias_hh;
  };
  /// The state after a step: `projected` is what the input adds to the gates, `product` the state.
  virtual State step(const Tensor &projected, const Tensor &product, const State &state,
                     const Layer &layer) const = 0;
  /// True if bias_hh is added to the gates as bias_ih is.
  virtual bool addsBiasOutside() const { return true; }

  std::vector<Layer> layers; ///< with two directions, forward and backward in turn
  std::string path;
  int64_t gates, hidden, states = 1;
  RecurrentOptions options;

private:
  void check(const Tensor &x, SourceLocation where) const;
  int64_t directions() const { return options.bidirectional ? 2 : 1; }
  Tensor runLayer(const Layer &layer, const Tensor &x, State &state, bool reverse,
                  SourceLocation where) const;
};

enum class Nonlinearity { Tanh, ReLU };

/// h' = tanh(W_ih x + b_ih + W_hh h + b_hh)
class RNN : public Recurrent {
public:
  RNN(const Scope &scope, int64_t inputs, int64_t hidden, RecurrentOptions options = {},
      Nonlinearity nonlinearity = Nonlinearity::Tanh,
      SourceLocation where = SourceLocation::current());

private:
  State step(const Tensor &projected, const Tensor &product, const State &state,
             const Layer &layer) const override;
  Nonlinearity nonlinearity;
};

/// r, z = sigmoid(W x + U h + b);  n = tanh(W_n x + b_n + r (U_n h + b_hn));  h' = (1 - z) n + z h
class GRU : public Recurrent {
public:
  GRU(const Scope &scope, int64_t inputs, int64_t hidden, RecurrentOptions options = {},
      SourceLocation where = SourceLocation::current());

private:
  State step(const Tensor &projected, const Tensor &product, const State &state,
             const Layer &layer) const override;
  bool addsBiasOutside() const override { return false; }
};

/// i, f, g, o = sigmoid, sigmoid, tanh, sigmoid of W x + U h + b;  c' = f c + i g;  h' = o tanh(c')
class LSTM : public Recurrent {
public:
  LSTM(const Scope &scope, int64_t inputs, int64_t hidden, RecurrentOptions options = {},
       SourceLocation where = SourceLocation::current());

private:
  State step(const Tensor &projected, const Tensor &product, const State &state,
             const Layer &layer) const override;
};

// NOLINTEND(readability-identifier-naming)

} // namespace gen

#endif // GEN_RECURRENT_HPP
