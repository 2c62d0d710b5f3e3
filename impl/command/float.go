// The arithmetic of INCRBYFLOAT: Redis computes in C's long double, which on the machines it runs
// on has 64 bits of precision, and prints 17 decimals. Package math/big can do exactly that.
package command

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
	"strings"
)

const (
	floatPrecision = 64
	floatExpMax    = 16384  // a long double is below 2^16384
	floatExpMin    = -16446 // and up to 2^-16446 it is rounded to zero
	floatTextMax   = 5 * 1024
	floatDecimals  = 17
	tinyExp        = -57  // below 2^-58 all 17 decimals are zero
	decimalExpMax  = 6000 // beyond, the number is out of range whatever its digits
)

// floatMin is 2^floatExpMin.
var floatMin = new(big.Float).SetMantExp(big.NewFloat(1), floatExpMin)

// longDouble is a number or an infinity; inf is -1, 0 or 1.
type longDouble struct {
	n   *big.Float
	inf int
}

// parseFloat reads a number as C's strtold does, but wants all of the text to be one. NaN is none.
func parseFloat(text []byte) (longDouble, bool) {
	if len(text) == 0 || len(text) >= floatTextMax {
		return longDouble{}, false
	}
	s, sign := string(text), 1
	if s[0] == '-' || s[0] == '+' {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	if strings.EqualFold(s, "inf") || strings.EqualFold(s, "infinity") {
		return longDouble{inf: sign}, true
	}
	n, ok := parseUnsigned(s)
	if !ok {
		return longDouble{}, false
	}
	if n.Sign() != 0 && (n.MantExp(nil) > floatExpMax || n.Cmp(floatMin) <= 0) {
		return longDouble{}, false
	}
	if sign < 0 {
		n.Neg(n)
	}
	return longDouble{n: n}, true
}

// parseUnsigned reads a decimal or hexadecimal number, rounded once.
func parseUnsigned(s string) (*big.Float, bool) {
	base, expMark := 10, "eE"
	if len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		base, expMark, s = 16, "pP", s[2:]
	}
	exp := 0
	if i := strings.IndexAny(s, expMark); i >= 0 {
		var err error
		if exp, err = strconv.Atoi(s[i+1:]); err != nil && !inRangeError(err) {
			return nil, false
		}
		s = s[:i]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	digits := whole + fraction
	for i := range len(digits) {
		if v := hexValue(digits[i]); v < 0 || v >= base {
			return nil, false
		}
	}
	n, ok := new(big.Int).SetString(digits, base)
	if !ok {
		return nil, false
	}
	if base == 16 {
		return scale(n, 2, exp-4*len(fraction), 4*decimalExpMax)
	}
	return scale(n, 10, exp-len(fraction), decimalExpMax)
}

// scale is n * base^exp; no long double is that large or small beyond expMax. The integers are
// exact and the one division is rounded correctly. (A fraction of them would be reduced first, and
// lets ten bytes of a client hold the loop for milliseconds.)
func scale(n *big.Int, base int64, exp, expMax int) (*big.Float, bool) {
	f := new(big.Float).SetPrec(floatPrecision)
	switch {
	case n.Sign() == 0 || exp == 0:
		return f.SetInt(n), true
	case exp > expMax || exp < -expMax-floatTextMax:
		return nil, false
	}
	power := new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(max(exp, -exp))), nil)
	if exp > 0 {
		return f.SetInt(power.Mul(power, n)), true
	}
	return f.Quo(new(big.Float).SetInt(n), new(big.Float).SetInt(power)), true
}

// inRangeError tells whether an exponent is a number, but a huge one.
func inRangeError(err error) bool {
	e, ok := err.(*strconv.NumError)
	return ok && e.Err == strconv.ErrRange
}

func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return math.MaxInt
}

// millis is a number of seconds in milliseconds, rounded up; not ok if that is negative, or too much for
// 64 bits, which in Redis comes out negative.
func (a longDouble) millis() (ms int64, ok bool) {
	if a.inf != 0 {
		return 0, false
	}
	ms, exact := new(big.Float).SetPrec(floatPrecision).Mul(a.n, big.NewFloat(1000)).Int64()
	if exact == big.Below && ms != math.MaxInt64 {
		ms++
	}
	return ms, ms >= 0 && ms < math.MaxInt64/2
}

// plus is the sum as Redis prints it: 17 decimals without the zeros at the end, and no sign on
// zero; not ok if it is no number (STR-16).
func (a longDouble) plus(b longDouble) (text []byte, ok bool) {
	if a.inf != 0 || b.inf != 0 {
		return nil, false
	}
	sum := new(big.Float).SetPrec(floatPrecision).Add(a.n, b.n)
	if sum.MantExp(nil) > floatExpMax {
		return nil, false
	}
	if sum.MantExp(nil) < tinyExp { // to find that out from its digits takes long
		return zeroText, true
	}
	text = sum.Append(nil, 'f', floatDecimals)
	text = bytes.TrimRight(text, "0")
	text = bytes.TrimSuffix(text, []byte("."))
	if string(text) == "-0" {
		text = text[1:]
	}
	return text, true
}
