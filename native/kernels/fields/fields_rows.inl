// The parsers, row by row; included into the namespace of each instruction set.

// Bounds of one field; false when they do not lie in the source.
inline bool field_of(const Fields& in, size_t row, const uint8_t** from, const uint8_t** to) {
  const size_t at = row * in.fields + in.field;
  const uint32_t begin = in.ends[at] + 1;
  const uint32_t end = in.ends[at + 1];
  if (begin > end || end > in.source.size) return false;
  *from = in.source.bytes + begin;
  *to = in.source.bytes + end;
  return true;
}

template <class T>
size_t parse_decimals_of(Fields in, uint32_t scale, bool has_point, uint64_t limit, MutableColumn target) {
  T* out = reinterpret_cast<T*>(target.bytes);
  for (size_t row = 0; row < in.rows; row++) {
    const uint8_t* at = nullptr;
    const uint8_t* end = nullptr;
    if (!field_of(in, row, &at, &end)) return row;
    const bool negative = at < end && *at == '-';
    if (negative) at++;
    if (at >= end || end - at > 16) return row;
    uint64_t value = 0;
    uint32_t digits = 0;
    uint32_t decimals = 0;
    bool seen_point = false;
    for (; at < end; at++) {
      const uint32_t digit = static_cast<uint32_t>(*at) - '0';
      if (digit <= 9) {
        value = value * 10 + digit;
        digits++;
        decimals += seen_point;
      } else if (*at == '.' && has_point && !seen_point) {
        seen_point = true;
      } else {
        return row;
      }
    }
    if (digits == 0 || decimals > scale || digits - decimals + scale > 15) return row;
    for (; decimals < scale; decimals++) value *= 10;
    if (value >= limit) return row;
    const int64_t number = static_cast<int64_t>(value);
    out[row] = static_cast<T>(negative ? -number : number);
  }
  return in.rows;
}

size_t parse_decimals(Fields in, uint32_t scale, bool has_point, uint64_t limit, MutableColumn target) {
  switch (target.width) {
    case 2: return parse_decimals_of<int16_t>(in, scale, has_point, limit, target);
    case 4: return parse_decimals_of<int32_t>(in, scale, has_point, limit, target);
    default: return parse_decimals_of<int64_t>(in, scale, has_point, limit, target);
  }
}

inline uint32_t two_digits(const uint8_t* at) {
  const uint32_t tens = static_cast<uint32_t>(at[0]) - '0';
  const uint32_t ones = static_cast<uint32_t>(at[1]) - '0';
  return tens <= 9 && ones <= 9 ? tens * 10 + ones : 1000;
}

size_t parse_dates(Fields in, MutableColumn target) {
  int32_t* out = reinterpret_cast<int32_t*>(target.bytes);
  for (size_t row = 0; row < in.rows; row++) {
    const uint8_t* at = nullptr;
    const uint8_t* end = nullptr;
    if (!field_of(in, row, &at, &end) || end - at != 10 || at[4] != '-' || at[7] != '-') return row;
    const uint32_t century = two_digits(at);
    const uint32_t rest = two_digits(at + 2);
    const uint32_t month = two_digits(at + 5);
    const uint32_t day = two_digits(at + 8);
    const uint32_t year = century * 100 + rest;
    if (century > 99 || rest > 99 || year == 0 || month < 1 || month > 12 || day < 1 || day > 31) return row;
    if (day > 28 && (month == 2 || (day == 31 && (month == 4 || month == 6 || month == 9 || month == 11)))) return row;
    // Days of a year that begins in March (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    const uint32_t shifted = year - (month <= 2 ? 1 : 0);
    const uint32_t era = shifted / 400;
    const uint32_t year_of_era = shifted - era * 400;
    const uint32_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    const uint32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    // 730,425 days lie between 0000-03-01 and 2000-01-01.
    out[row] = static_cast<int32_t>(era * 146097 + day_of_era) - 730425;
  }
  return in.rows;
}

size_t copy_fields(Fields in, uint32_t least, uint32_t most, MutableColumn target, size_t at, uint32_t* offsets) {
  for (size_t row = 0; row < in.rows; row++) {
    const uint8_t* from = nullptr;
    const uint8_t* to = nullptr;
    if (!field_of(in, row, &from, &to)) return row;
    const size_t length = static_cast<size_t>(to - from);
    const size_t filled = length < least ? least : length;
    if (length > most || filled > target.count - at) return row;
    if (least > 0) {
      uint8_t seen = 0;
      for (size_t i = 0; i < length; i++) seen |= from[i];
      if (seen > 127) return row;
    }
    std::memcpy(target.bytes + at, from, length);
    std::memset(target.bytes + at + length, ' ', filled - length);
    at += filled;
    offsets[row + 1] = static_cast<uint32_t>(at);
  }
  return in.rows;
}
