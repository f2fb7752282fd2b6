// Plane rotations, the 2 by 2 problems that QR iterations end in, and the iterations themselves: one thread finds rotations, the block turns rows by
// them. As cpu-avx/portable/linalg (rotation.h, symmetric.cc, singular.cc), whose signs are LAPACK's.
#pragma once
#include "cuda/kernels/linalg.cuh"

namespace torchscript::cuda {

constexpr double kHalfUlp = 0x1p-53;
constexpr double kLeastNormal = 0x1p-1022;
// Up to this size LAPACK iterates; above it divides and conquers.
constexpr int64_t kConquered = 25;

TS_DEVICE double greater_of(double a, double b) { return a < b ? b : a; }
TS_DEVICE double lesser_of(double a, double b) { return b < a ? b : a; }

// c f + s g = r, c g - s f = 0.
struct Givens {
  double c, s, r;
};
// r has the sign of f, as in LAPACK from 3.10 on.
TS_DEVICE Givens givens(double f, double g) {
  if (g == 0) return {1, 0, f};
  if (f == 0) return {0, copysign(1.0, g), fabs(g)};
  const double r = copysign(sqrt(f * f + g * g), f);
  return {fabs(f) / fabs(r), g / r, r};
}
// r is positive unless f is the larger one and negative, as in LAPACK before 3.10 and in parts of MKL.
TS_DEVICE Givens givens_positive(double f, double g) {
  if (g == 0) return {1, 0, f};
  if (f == 0) return {0, 1, g};
  double r = sqrt(f * f + g * g);
  if (fabs(f) > fabs(g) && f < 0) r = -r;
  return {f / r, g / r, r};
}

// Rotation that diagonalises [[a, b], [b, c]]: (cs, sn) is the unit eigenvector of the eigenvalue of larger size, larger.
struct Symmetric2 {
  double larger, smaller, cs, sn;
};
TS_DEVICE Symmetric2 symmetric2(double a, double b, double c) {
  const double sum = a + c, gap = a - c, twice = b + b, size = fabs(twice);
  const double top = fabs(a) > fabs(c) ? a : c, low = fabs(a) > fabs(c) ? c : a;
  const double root = hypot(gap, twice);
  Symmetric2 e;
  bool negative = false;
  if (sum == 0) {
    e.larger = 0.5 * root, e.smaller = -0.5 * root;
  } else {
    negative = sum < 0;
    e.larger = 0.5 * (negative ? sum - root : sum + root);
    e.smaller = (top / e.larger) * low - (b / e.larger) * b;
  }
  const bool falling = gap < 0;
  const double cs = falling ? gap - root : gap + root;
  if (fabs(cs) > size) {
    const double ct = -twice / cs;
    e.sn = 1 / sqrt(1 + ct * ct);
    e.cs = ct * e.sn;
  } else if (size == 0) {
    e.cs = 1, e.sn = 0;
  } else {
    const double tn = -cs / twice;
    e.cs = 1 / sqrt(1 + tn * tn);
    e.sn = tn * e.cs;
  }
  if (negative == falling) {
    const double tn = e.cs;
    e.cs = -e.sn;
    e.sn = tn;
  }
  return e;
}

// Smaller singular value of [[f, g], [0, h]].
TS_DEVICE double smaller_singular(double f, double g, double h) {
  const double fa = fabs(f), ga = fabs(g), ha = fabs(h), low = lesser_of(fa, ha), high = greater_of(fa, ha);
  if (low == 0) return 0;
  const double as = 1 + low / high, at = (high - low) / high;
  if (ga < high) {
    const double au = (ga / high) * (ga / high);
    return low * (2 / (sqrt(as * as + au) + sqrt(at * at + au)));
  }
  const double au = high / ga;
  if (au == 0) return low * high / ga;
  const double c = 1 / (sqrt(1 + (as * au) * (as * au)) + sqrt(1 + (at * au) * (at * au)));
  return low * c * au * 2;
}

// [[cl, sl], [-sl, cl]] [[f, g], [0, h]] [[cr, -sr], [sr, cr]] = diag(larger, smaller).
struct Singular2 {
  double smaller, larger, sr, cr, sl, cl;
};
TS_DEVICE double sign_of(double v) { return copysign(1.0, v); }
TS_DEVICE Singular2 singular2(double f, double g, double h) {
  double ft = f, fa = fabs(f), ht = h, ha = fabs(h), ga = fabs(g);
  int largest = 1;
  const bool swapped = ha > fa;
  if (swapped) {
    largest = 3;
    ft = h, ht = f;
    const double kept = fa;
    fa = ha, ha = kept;
  }
  Singular2 r;
  double clt = 1, crt = 1, slt = 0, srt = 0;
  if (ga == 0) {
    r.smaller = ha, r.larger = fa;
  } else {
    bool small = true;
    if (ga > fa) {
      largest = 2;
      if (fa / ga < kHalfUlp) {
        small = false;
        r.larger = ga;
        r.smaller = ha > 1 ? fa / (ga / ha) : fa / ga * ha;
        clt = 1, slt = ht / g, srt = 1, crt = ft / g;
      }
    }
    if (small) {
      const double d = fa - ha, m = g / ft, mm = m * m;
      double l = d == fa ? 1 : d / fa, t = 2 - l;
      const double s = sqrt(t * t + mm), root = l == 0 ? fabs(m) : sqrt(l * l + mm), a = 0.5 * (s + root);
      r.smaller = ha / a, r.larger = fa * a;
      if (mm == 0) t = l == 0 ? 2 * sign_of(ft) * sign_of(g) : g / copysign(d, ft) + m / t;
      else t = (m / (s + t) + m / (root + l)) * (1 + a);
      l = sqrt(t * t + 4);
      crt = 2 / l, srt = t / l;
      clt = (crt + srt * m) / a;
      slt = ht / ft * srt / a;
    }
  }
  if (swapped) r.cl = srt, r.sl = crt, r.cr = slt, r.sr = clt;
  else r.cl = clt, r.sl = slt, r.cr = crt, r.sr = srt;
  const double turned = largest == 1   ? sign_of(r.cr) * sign_of(r.cl) * sign_of(f)
                        : largest == 2 ? sign_of(r.sr) * sign_of(r.cl) * sign_of(g)
                                       : sign_of(r.sr) * sign_of(r.sl) * sign_of(h);
  r.larger = copysign(r.larger, turned);
  r.smaller = copysign(r.smaller, turned * sign_of(f) * sign_of(h));
  return r;
}

// Rotations of rows `row` .. row + count; count 0: the iteration is done.
struct Turn {
  int64_t row, count;
  int32_t falling, crossed;  // crossed: the right side takes what was found for the left one, and the other way round
};

// LAPACK's steqr on a tridiagonal matrix: `next` goes on until rows are to be turned.
struct TridiagonalSteps {
  double *d, *e, *c, *s;
  int64_t n, steps, first = 0, last = 0, l = 0;
  int32_t mode = 0;  // 0: between parts; 1: QL; 2: QR

  TS_DEVICE bool split(int64_t i, int64_t j, double off) const {
    return off * off <= (kHalfUlp * kHalfUlp * fabs(d[i])) * fabs(d[j]) + kLeastNormal;
  }
  TS_DEVICE void leave() { mode = 0, first = last + 1; }

  TS_DEVICE Turn next() {
    while (true) {
      if (mode == 0) {
        if (first >= n) return {0, 0, 0, 0};
        if (first > 0) e[first - 1] = 0;
        for (last = first; last + 1 < n; last++) {
          const double size = fabs(e[last]);
          if (size == 0) break;
          if (size <= sqrt(fabs(d[last])) * sqrt(fabs(d[last + 1])) * kHalfUlp) {
            e[last] = 0;
            break;
          }
        }
        if (last == first) {
          first = last + 1;
          continue;
        }
        const bool up = fabs(d[last]) < fabs(d[first]);
        mode = up ? 2 : 1;
        l = up ? last : first;
      }
      if (mode == 1) {
        if (l > last) {
          leave();
          continue;
        }
        int64_t m = l;
        while (m < last && !split(m, m + 1, e[m])) m++;
        if (m < last) e[m] = 0;
        if (m == l) {
          l++;
          continue;
        }
        if (m == l + 1) {
          const Symmetric2 pair = symmetric2(d[l], e[l], d[l + 1]);
          c[0] = pair.cs, s[0] = pair.sn;
          d[l] = pair.larger, d[l + 1] = pair.smaller;
          e[l] = 0;
          l += 2;
          return {l - 2, 1, 0, 0};
        }
        if (steps-- <= 0) {
          leave();
          continue;
        }
        double p = d[l], g = (d[l + 1] - p) / (2 * e[l]), r = hypot(g, 1.0), sn = 1, cs = 1;
        g = d[m] - p + e[l] / (g + copysign(r, g));
        p = 0;
        for (int64_t i = m - 1; i >= l; i--) {
          const double f = sn * e[i], b = cs * e[i];
          const Givens turned = givens_positive(g, f);
          cs = turned.c, sn = turned.s;
          if (i != m - 1) e[i + 1] = turned.r;
          g = d[i + 1] - p;
          r = (d[i] - g) * sn + 2 * cs * b;
          p = sn * r;
          d[i + 1] = g + p;
          g = cs * r - b;
          c[i - l] = cs, s[i - l] = -sn;
        }
        d[l] -= p;
        e[l] = g;
        return {l, m - l, 1, 0};
      }
      // The same from the last row up.
      if (l < first) {
        leave();
        continue;
      }
      int64_t m = l;
      while (m > first && !split(m, m - 1, e[m - 1])) m--;
      if (m > first) e[m - 1] = 0;
      if (m == l) {
        l--;
        continue;
      }
      if (m == l - 1) {
        const Symmetric2 pair = symmetric2(d[l - 1], e[l - 1], d[l]);
        c[0] = pair.cs, s[0] = pair.sn;
        d[l - 1] = pair.larger, d[l] = pair.smaller;
        e[l - 1] = 0;
        l -= 2;
        return {l + 1, 1, 0, 0};
      }
      if (steps-- <= 0) {
        leave();
        continue;
      }
      double p = d[l], g = (d[l - 1] - p) / (2 * e[l - 1]), r = hypot(g, 1.0), sn = 1, cs = 1;
      g = d[m] - p + e[l - 1] / (g + copysign(r, g));
      p = 0;
      for (int64_t i = m; i < l; i++) {
        const double f = sn * e[i], b = cs * e[i];
        const Givens turned = givens_positive(g, f);
        cs = turned.c, sn = turned.s;
        if (i != m) e[i - 1] = turned.r;
        g = d[i] - p;
        r = (d[i + 1] - g) * sn + 2 * cs * b;
        p = sn * r;
        d[i] = g + p;
        g = cs * r - b;
        c[i - m] = cs, s[i - m] = sn;
      }
      d[l] -= p;
      e[l - 1] = g;
      return {m, l - m, 0, 0};
    }
  }
};

// LAPACK's bdsqr on an upper bidiagonal matrix.
struct BidiagonalSteps {
  double *d, *e, *right_c, *right_s, *left_c, *left_s;
  int64_t n, high = 0, old_low = -1, old_high = -1;
  double tolerance = 0, threshold = 0, count = 0, limit = 0, steps = 0;
  bool down = true;

  TS_DEVICE void begin() {
    tolerance = greater_of(10.0, lesser_of(100.0, pow(kHalfUlp, -0.125))) * kHalfUlp;
    double mu = fabs(d[0]), least = mu;
    for (int64_t i = 1; i < n && least != 0; i++) {
      mu = fabs(d[i]) * (mu / (mu + fabs(e[i - 1])));
      least = lesser_of(least, mu);
    }
    count = static_cast<double>(n);
    limit = 6 * count * count;
    threshold = greater_of(tolerance * (least / sqrt(count)), limit * kLeastNormal);
    high = n - 1;
  }
  TS_DEVICE void keep(int64_t k, double rc, double rs, double lc, double ls) {
    right_c[k] = rc, right_s[k] = rs;
    left_c[k] = lc, left_s[k] = ls;
  }
  TS_DEVICE Turn turned_down(int64_t low) {
    if (fabs(e[high - 1]) <= threshold) e[high - 1] = 0;
    return {low, high - low, 0, 0};
  }
  // Rotations from the bottom: those computed for the right side belong to U.
  TS_DEVICE Turn turned_up(int64_t low) {
    if (fabs(e[low]) <= threshold) e[low] = 0;
    return {low, high - low, 1, 1};
  }
  // Sets one off-diagonal element to zero where the criteria of Demmel and Kahan allow; else gives a bound for the smallest singular value.
  TS_DEVICE bool converged(int64_t low, double* smallest) {
    double* end = down ? &e[high - 1] : &e[low];
    if (fabs(*end) <= tolerance * fabs(down ? d[high] : d[low])) {
      *end = 0;
      return true;
    }
    double mu = fabs(down ? d[low] : d[high]);
    *smallest = mu;
    for (int64_t step = 0; step < high - low; step++) {
      const int64_t i = down ? low + step : high - 1 - step;
      if (fabs(e[i]) <= tolerance * mu) {
        e[i] = 0;
        return true;
      }
      mu = fabs(down ? d[i + 1] : d[i]) * (mu / (mu + fabs(e[i])));
      *smallest = lesser_of(*smallest, mu);
    }
    return false;
  }
  TS_DEVICE Turn next() {
    while (high > 0) {
      if (steps > limit * 5) break;
      double largest = fabs(d[high]);
      int64_t low = high - 1;
      for (; low >= 0; low--) {
        const double off = fabs(e[low]);
        if (off <= threshold) {
          e[low] = 0;
          break;
        }
        largest = greater_of(largest, greater_of(fabs(d[low]), off));
      }
      low++;
      if (low == high) {
        high--;
        continue;
      }
      if (low == high - 1) {
        const Singular2 pair = singular2(d[low], e[low], d[high]);
        d[low] = pair.larger, e[low] = 0, d[high] = pair.smaller;
        keep(0, pair.cr, pair.sr, pair.cl, pair.sl);
        high -= 2;
        return {low, 1, 0, 0};
      }
      if (low > old_high || high < old_low) down = fabs(d[low]) >= fabs(d[high]);
      double smallest = 0;
      if (converged(low, &smallest)) continue;
      old_low = low, old_high = high;
      double shift = 0;
      if (count * tolerance * (smallest / largest) > greater_of(kHalfUlp, 0.01 * tolerance)) {
        const double end = fabs(down ? d[low] : d[high]);
        shift = down ? smaller_singular(d[high - 1], e[high - 1], d[high]) : smaller_singular(d[low], e[low], d[low + 1]);
        if (end > 0 && (shift / end) * (shift / end) < kHalfUlp) shift = 0;
      }
      steps += static_cast<double>(high - low);
      if (down) return shift == 0 ? zero_shift_down(low) : shifted_down(low, shift);
      return shift == 0 ? zero_shift_up(low) : shifted_up(low, shift);
    }
    return {0, 0, 0, 0};
  }
  TS_DEVICE Turn zero_shift_down(int64_t low) {
    double c = 1, old_c = 1, old_s = 0;
    for (int64_t i = low; i < high; i++) {
      const Givens right = givens(d[i] * c, e[i]);
      if (i > low) e[i - 1] = old_s * right.r;
      const Givens left = givens(old_c * right.r, d[i + 1] * right.s);
      c = right.c, old_c = left.c, old_s = left.s;
      d[i] = left.r;
      keep(i - low, right.c, right.s, left.c, left.s);
    }
    const double h = d[high] * c;
    d[high] = h * old_c;
    e[high - 1] = h * old_s;
    return turned_down(low);
  }
  TS_DEVICE Turn zero_shift_up(int64_t low) {
    double c = 1, old_c = 1, old_s = 0;
    for (int64_t i = high; i > low; i--) {
      const Givens right = givens(d[i] * c, e[i - 1]);
      if (i < high) e[i] = old_s * right.r;
      const Givens left = givens(old_c * right.r, d[i - 1] * right.s);
      c = right.c, old_c = left.c, old_s = left.s;
      d[i] = left.r;
      keep(i - low - 1, right.c, -right.s, left.c, -left.s);
    }
    const double h = d[low] * c;
    d[low] = h * old_c;
    e[low] = h * old_s;
    return turned_up(low);
  }
  TS_DEVICE Turn shifted_down(int64_t low, double shift) {
    double f = (fabs(d[low]) - shift) * (copysign(1.0, d[low]) + shift / d[low]), g = e[low];
    for (int64_t i = low; i < high; i++) {
      const Givens right = givens(f, g);
      if (i > low) e[i - 1] = right.r;
      f = right.c * d[i] + right.s * e[i];
      e[i] = right.c * e[i] - right.s * d[i];
      g = right.s * d[i + 1];
      d[i + 1] = right.c * d[i + 1];
      const Givens left = givens(f, g);
      d[i] = left.r;
      f = left.c * e[i] + left.s * d[i + 1];
      d[i + 1] = left.c * d[i + 1] - left.s * e[i];
      if (i < high - 1) {
        g = left.s * e[i + 1];
        e[i + 1] = left.c * e[i + 1];
      }
      keep(i - low, right.c, right.s, left.c, left.s);
    }
    e[high - 1] = f;
    return turned_down(low);
  }
  TS_DEVICE Turn shifted_up(int64_t low, double shift) {
    double f = (fabs(d[high]) - shift) * (copysign(1.0, d[high]) + shift / d[high]), g = e[high - 1];
    for (int64_t i = high; i > low; i--) {
      const Givens right = givens(f, g);
      if (i < high) e[i] = right.r;
      f = right.c * d[i] + right.s * e[i - 1];
      e[i - 1] = right.c * e[i - 1] - right.s * d[i];
      g = right.s * d[i - 1];
      d[i - 1] = right.c * d[i - 1];
      const Givens left = givens(f, g);
      d[i] = left.r;
      f = left.c * e[i - 1] + left.s * d[i - 1];
      d[i - 1] = left.c * d[i - 1] - left.s * e[i - 1];
      if (i > low + 1) {
        g = left.s * e[i - 2];
        e[i - 2] = left.c * e[i - 2];
      }
      keep(i - low - 1, right.c, -right.s, left.c, -left.s);
    }
    e[low] = f;
    return turned_up(low);
  }
};

// Turns as many as `steps` finds; `turn(t)` is called by every thread.
template <class Steps, class F> TS_DEVICE void follow(Steps& steps, const F& turn) {
  __shared__ Turn told;
  while (true) {
    __syncthreads();
    if (lane() == 0) told = steps.next();
    __syncthreads();
    const Turn t = told;
    if (t.count == 0) break;
    turn(t);
  }
  __syncthreads();
}

// Memory of a block, piece by piece.
struct Arena {
  char* at;
  template <class T> TS_DEVICE T* take(int64_t count) {
    T* p = reinterpret_cast<T*>(at);
    at += (count * static_cast<int64_t>(sizeof(T)) + 15) / 16 * 16;
    return p;
  }
};

template <class T> constexpr int64_t kDoubles = static_cast<int64_t>(sizeof(T) / sizeof(double));

}  // namespace torchscript::cuda
