package workload

import "testing"

// TestRefused: a correct server refuses none of the words of any mix, and what one refuses is out.
func TestRefused(t *testing.T) {
	tg := serve(t, "")
	for _, mix := range Mixes {
		if got := refused(tg, mix); len(got) != 0 {
			t.Errorf("%s: %q", mix.Name, got)
		}
	}
	p, err := planFor(Mixes[0].without([]string{"set px", "set nx"}), func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range p.words {
		if name == "set px" || name == "set nx" {
			t.Errorf("%s is still there", name)
		}
	}
}
