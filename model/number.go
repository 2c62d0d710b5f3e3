package model

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// Numbers as Redis reads and prints them.

func notInteger() Reply { return Err("ERR value is not an integer or out of range") }

func formatInteger(n int64) string { return strconv.FormatInt(n, 10) }

// integer reads a strict integer: 64 bits, no plus, no leading zeros, no blanks, no "-0".
func integer(b []byte) (int64, bool) {
	digits := b
	if len(b) > 0 && b[0] == '-' {
		digits = b[1:]
	}
	if len(digits) == 0 || len(digits) > 19 || digits[0] == '0' && len(b) > 1 ||
		digits[0] < '0' || digits[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	return n, err == nil
}

// parseCursor reads a cursor as strtoul does: an optional sign, decimal digits, 64 bits; or
// nothing. All that matters of it is whether it is 0.
func parseCursor(s string) (isZero, ok bool) {
	digits := s
	if s != "" && (s[0] == '+' || s[0] == '-') {
		digits = s[1:]
	}
	if s == "" {
		return true, true
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n == 0, err == nil
}

// A float is a long double as C has it on x86-64: 64 bits of mantissa.
const (
	floatPrec    = 64
	floatTextMax = 5 * 1024 // longer texts are no numbers for Redis
	// Exponents for a mantissa in [0.5, 1): beyond the first is infinity, and what is not larger
	// than 2 to the power of the second rounds to zero.
	floatExpMax  = 16384
	floatExpTiny = -16446
	// exponentMax bounds the decimal (and hexadecimal) exponents that are worth computing with.
	exponentMax = 40000
)

var (
	decimalText = regexp.MustCompile(`^([+-]?)(\d*)(\.(\d*))?([eE]([+-]?\d+))?$`)
	hexText     = regexp.MustCompile(`(?i)^([+-]?)0x([\da-f]*)(\.([\da-f]*))?(p([+-]?\d+))?$`)
	infText     = regexp.MustCompile(`^([+-]?)(?i:inf|infinity)$`)
)

// parseFloat reads a long double as strtold does, without blanks and without NaN: decimal,
// hexadecimal or infinite. Out of range, in either direction, is no number. STR-16.
func parseFloat(s string) (*big.Float, bool) {
	if s == "" || len(s) >= floatTextMax {
		return nil, false
	}
	if m := infText.FindStringSubmatch(s); m != nil {
		return new(big.Float).SetPrec(floatPrec).SetInf(m[1] == "-"), true
	}
	base, power := 10, int64(10)
	m := decimalText.FindStringSubmatch(s)
	if m == nil {
		base, power = 16, 2
		m = hexText.FindStringSubmatch(s)
	}
	if m == nil || m[2]+m[4] == "" {
		return nil, false
	}
	mantissa, _ := new(big.Int).SetString(m[2]+m[4], base)
	shift := int64(len(m[4])) // digits after the point, in powers of 10 or 2
	if base == 16 {
		shift *= 4
	}
	x, ok := scaled(mantissa, power, exponentOf(m[6])-shift)
	if ok && m[1] == "-" {
		x.Neg(x)
	}
	return x, ok
}

// exponentOf reads an exponent; what is beyond any use is clipped.
func exponentOf(s string) int64 {
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n > exponentMax || n < -exponentMax {
		if strings.HasPrefix(s, "-") {
			return -exponentMax
		}
		return exponentMax
	}
	return n
}

// scaled is mantissa * power^exp, rounded once, to the nearest long double.
func scaled(mantissa *big.Int, power, exp int64) (*big.Float, bool) {
	x := new(big.Float).SetPrec(floatPrec)
	if mantissa.Sign() == 0 {
		return x, true
	}
	factor := new(big.Int).Exp(big.NewInt(power), big.NewInt(max(exp, -exp)), nil)
	exact := new(big.Rat).SetInt(mantissa)
	if exp < 0 {
		exact.Quo(exact, new(big.Rat).SetInt(factor))
	} else {
		exact.Mul(exact, new(big.Rat).SetInt(factor))
	}
	x.SetRat(exact)
	tiny := new(big.Float).SetMantExp(big.NewFloat(1), floatExpTiny)
	return x, x.MantExp(nil) <= floatExpMax && x.Cmp(tiny) > 0
}

// addFloats gives the sum as Redis prints it; not ok if it is no finite number.
func addFloats(a, b *big.Float) (string, bool) {
	if a.IsInf() || b.IsInf() {
		return "", false
	}
	sum := new(big.Float).SetPrec(floatPrec).Add(a, b)
	if sum.MantExp(nil) > floatExpMax {
		return "", false
	}
	return formatFloat(sum), true
}

// formatFloat prints 17 digits after the point, and then drops the zeros at the end: "%.17Lf".
func formatFloat(x *big.Float) string {
	s := strings.TrimRight(strings.TrimRight(x.Text('f', 17), "0"), ".")
	if s == "-0" || s == "" || s == "-" {
		return "0"
	}
	return s
}
