// Loop bounds live here and nowhere else: no kernel computes where its vector body ends.
#pragma once
#include <cstddef>

namespace fastpostgres {

// body(i) for every whole step, tail(i) for each row that is left.
template <size_t Step, class Body, class Tail>
inline void steps(size_t count, Body body, Tail tail) {
  size_t i = 0;
  for (; count - i >= Step; i += Step) body(i);
  for (; i < count; i++) tail(i);
}

// body(i) for every whole step, then rest(i, n) once for the n (< Step) rows that are left, if any.
template <size_t Step, class Body, class Rest>
inline void step_and_rest(size_t count, Body body, Rest rest) {
  size_t i = 0;
  for (; count - i >= Step; i += Step) body(i);
  if (i < count) rest(i, count - i);
}

}  // namespace fastpostgres
