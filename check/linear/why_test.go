package linear

import (
	"strings"
	"testing"
)

// TestAnyValue: the value that stands for all others is told to people in words.
func TestAnyValue(t *testing.T) {
	res := Check(recorded(did{1, 0, 1, "SET a 1", ok}, did{2, 4, 5, "GET a", str("9")}), Options{})
	why := strings.Join(res.Components[0].Why, "\n")
	if !strings.Contains(why, `any value`) || strings.Contains(why, "x00") {
		t.Errorf("%s", why)
	}
}
