package evict

import (
	"fmt"
	"html/template"
	"io"
	"strings"
)

// Markdown writes the table.
func (r *Report) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "room for %d keys, %.0f s a policy; hit rate of a cache under Zipf's law, and how many "+
		"of the evicted keys a server that knew all would have kept\n\n| policy |", r.Keys, r.Seconds)
	for _, name := range r.Servers {
		fmt.Fprintf(&b, " %s: hit rate | keys held | wrongly evicted |", name)
	}
	b.WriteString("\n|---|" + strings.Repeat("--:|--:|--:|", len(r.Servers)))
	for _, row := range r.Results {
		fmt.Fprintf(&b, "\n| %s |", row[0].Policy)
		for _, c := range row {
			fmt.Fprintf(&b, " %.2f %% | %d | %.1f %% |", 100*c.HitRate, c.Held, 100*c.Mistaken)
		}
	}
	_, err := io.WriteString(w, b.String()+"\n")
	return err
}

// cell is the side of a key in a picture, in pixels.
const cell = 4

// shown are the keys of the picture: all, or every second, or third ...
func (c Result) shown() (some []bool) {
	for i := 0; i < len(c.Gone); i += (len(c.Gone) + squares - 1) / squares {
		some = append(some, c.Gone[i])
	}
	return some
}

// Picture has one square for each key, column by column, those first that are better to lose. It
// returns a path over the squares of the keys that are gone, or of those that are left.
func (c Result) Picture(gone bool) template.HTMLAttr {
	var path strings.Builder
	some, rows := c.shown(), c.rows()
	for i, g := range some {
		if g == gone {
			fmt.Fprintf(&path, "M%d %dh%dv%dh-%dz", i/rows*cell, i%rows*cell, cell-1, cell-1, cell-1)
		}
	}
	return template.HTMLAttr(`d="` + path.String() + `"`)
}

func (c Result) rows() int { return max(1, (len(c.shown())+columns-1)/columns) }

// Width and Height are those of the picture.
func (c Result) Width() int  { return (len(c.shown()) + c.rows() - 1) / c.rows() * cell }
func (c Result) Height() int { return c.rows() * cell }

// Curve is the share of the keys that are gone, along the picture.
func (c Result) Curve() string {
	const parts = 40
	var points []string
	for i := range parts {
		part := c.Gone[len(c.Gone)*i/parts : len(c.Gone)*(i+1)/parts]
		n := 0
		for _, g := range part {
			if g {
				n++
			}
		}
		points = append(points, fmt.Sprintf("%.1f,%.1f", float64(c.Width())*(float64(i)+0.5)/parts,
			curveHeight*(1-float64(n)/float64(max(1, len(part))))))
	}
	return strings.Join(points, " ")
}

const curveHeight = 40

// Percent shows a share.
func (c Result) Percent(x float64) string { return fmt.Sprintf("%.2f %%", 100*x) }

// HTML writes the page.
func (r *Report) HTML(w io.Writer) error { return page.Execute(w, r) }

// Server is the name of the i-th.
func (r *Report) Server(i int) string { return r.Servers[i] }

var page = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>What is evicted</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222;background:#fff}
table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:right;border-bottom:1px solid #ddd}td:first-child,th:first-child{text-align:left;white-space:nowrap}
svg{display:block;max-width:100%;height:auto}h2{margin:1.6em 0 .2em}figure{margin:.6em 0}figcaption{color:#555;font-size:90%}
.left{fill:#333}.gone{fill:#ddd}polyline{fill:none;stroke:#b40;stroke-width:1.5}.axis{stroke:#ccc}
</style>
<h1>What is evicted</h1>
<p>Each server has room for {{.Keys}} keys. In the pictures a square is a key, column by column: those on the left
are the best to lose by what the policy goes by (used longest ago, used least, or with the nearest deadline), those on the right
the best to keep. Then half of the room was taken away: <b>light</b> keys were evicted, <b>dark</b> ones are left. A server that
knew all would have a light left and a dark right half; under a random policy both are mixed. The line is the share of keys that are
gone.</p>
<p>The hit rate is that of a cache: keys are asked for by Zipf's law, and those that miss are set.</p>
<table><tr><th>policy{{range .Servers}}<th>{{.}}: hit rate<th>keys held<th>wrongly evicted{{end}}
{{range .Results}}<tr><td>{{(index . 0).Policy}}{{range .}}<td>{{.Percent .HitRate}}<td>{{.Held}}<td>{{.Percent .Mistaken}}{{end}}
{{end}}</table>
{{$r := .}}{{range .Results}}<h2>{{(index . 0).Policy}}</h2>
{{range $i, $c := .}}<figure><svg viewBox="0 0 {{.Width}} {{.Height}}" width="{{.Width}}" role="img"
aria-label="{{$r.Server $i}}"><path class="left" {{.Picture false}}/><path class="gone" {{.Picture true}}/></svg>
<svg viewBox="0 0 {{.Width}} 40" width="{{.Width}}"><line class="axis" x1="0" y1="40" x2="{{.Width}}" y2="40"/><polyline points="{{.Curve}}"/></svg>
<figcaption>{{$r.Server $i}}: {{.Percent .Mistaken}} of the evicted keys would have been kept by a server that knew all</figcaption></figure>
{{end}}{{end}}</html>
`))
