package world

import (
	"fmt"
	"strings"

	"rondo/check/explore"
	"rondo/check/wire"
	"rondo/impl/kernel/sim"
	"rondo/model"
)

// Client is one connection.
type Client struct {
	Name string
	Peer *sim.Peer
	// Replies are all that have come, in order.
	Replies []model.Reply

	w      *World
	number model.Client // of the model, and of the history: from 1 on
	id     int64        // of the server; 0 before it has accepted

	plan    []byte  // the program that is not yet sent
	frames  []frame // of the program: where its commands end
	planned int     // bytes of the program in all

	sent   int    // bytes given to the network
	unread []byte // of those, what the judge has not yet seen executed
	seen   int    // and what it has
	stamps []stamp

	due       []due // replies it is owed, oldest first
	decoder   wire.Decoder
	ended     bool // QUIT was executed, or what is no request: nothing more is
	left      bool // its session is gone
	recording recording
}

// stamp says that bytes were sent up to a place at a time of the wall clock (ms).
type stamp struct {
	to int
	ms int64
}

// frame is a command of a program, and where it ends.
type frame struct {
	words string
	from  int
	to    int
}

// Dial connects a client; the server has accepted it when it has had a turn.
func (w *World) Dial() *Client {
	c := &Client{w: w, Name: explore.Name(len(w.clients)), number: model.Client(len(w.clients) + 1)}
	c.Peer = w.Kernel.Connect(w.Server.Addr())
	w.clients = append(w.clients, c)
	w.port.names[c.Peer.Remote()] = c
	return c
}

// Clients are all that have dialled, in order.
func (w *World) Clients() []*Client { return w.clients }

// Encode is a command of words as clients send it.
func Encode(words ...string) []byte {
	args := make([][]byte, len(words))
	for i, word := range words {
		args[i] = []byte(word)
	}
	return wire.AppendCommand(nil, args...)
}

// Send sends one command.
func (c *Client) Send(words ...string) {
	c.w.show(explore.Row{Client: c.Name + " sends " + strings.Join(words, " ")})
	c.write(Encode(words...))
}

// Write sends any bytes.
func (c *Client) Write(data string) {
	c.w.show(explore.Row{Client: fmt.Sprintf("%s writes %q", c.Name, data)})
	c.write([]byte(data))
}

func (c *Client) write(data []byte) {
	if c.Peer.Finished() || c.Peer.Mute() {
		return // nobody hears it
	}
	c.w.moment()
	c.recording.wrote(c, data)
	c.sent += len(data)
	c.unread = append(c.unread, data...)
	c.stamps = append(c.stamps, stamp{c.sent, c.w.Kernel.Wall() / 1e6})
	c.Peer.Send(string(data))
}

// Plan appends commands to the program, of words with blanks between; nothing is sent yet.
func (c *Client) Plan(commands ...string) {
	for _, words := range commands {
		command := Encode(strings.Fields(words)...)
		c.frames = append(c.frames, frame{words, c.planned, c.planned + len(command)})
		c.plan = append(c.plan, command...)
		c.planned += len(command)
	}
}

// passed is how many bytes of the program are sent.
func (c *Client) passed() int { return c.planned - len(c.plan) }

// Unsent is how many bytes of the program are not yet sent.
func (c *Client) Unsent() int { return len(c.plan) }

// Left is how many bytes of the next command are sent, and how many are not.
func (c *Client) Left() (sent, left int) {
	at := c.passed()
	for _, f := range c.frames {
		if f.to > at {
			return at - f.from, f.to - at
		}
	}
	return 0, 0
}

// Next sends the next n bytes of the program; 0, or more than there are: all that are left.
func (c *Client) Next(n int) {
	if n <= 0 || n > len(c.plan) {
		n = len(c.plan)
	}
	if c.w.options.Shown {
		c.w.show(explore.Row{Client: c.portion(n)})
	}
	data := c.plan[:n:n]
	c.plan = c.plan[n:]
	c.write(data)
}

// portion says what the next n bytes of the program are.
func (c *Client) portion(n int) string {
	from := c.passed()
	to := from + n
	var parts []string
	for _, f := range c.frames {
		switch {
		case f.to <= from || f.from >= to:
		case f.from >= from && f.to <= to:
			parts = append(parts, f.words)
		default:
			parts = append(parts, fmt.Sprintf("bytes %d-%d/%d of %s",
				max(from, f.from)-f.from+1, min(to, f.to)-f.from, f.to-f.from, f.words))
		}
	}
	return c.Name + " sends " + strings.Join(parts, "; ")
}

// Drain takes up to n bytes of what the server has written, or all for 0, and has the replies among
// them judged. It returns how many there were.
func (c *Client) Drain(n int) (int, error) {
	var data []byte
	if n <= 0 {
		data = []byte(c.Peer.Recv())
	} else {
		data = make([]byte, n)
		data = data[:c.Peer.Read(data)]
	}
	if len(data) == 0 {
		return 0, c.w.err
	}
	c.w.moment()
	c.w.port.note("drain", int(c.number), data)
	if c.w.options.Shown {
		c.w.show(explore.Row{Client: fmt.Sprintf("%s takes %q", c.Name, data)})
	}
	return len(data), c.w.fail(c.receive(data))
}

func (c *Client) do(a explore.Action) error {
	switch a.Kind {
	case explore.Deliver:
		c.Next(a.N)
	case explore.Drain:
		_, err := c.Drain(a.N)
		return err
	case explore.Finish:
		c.w.show(explore.Row{Client: c.Name + " ends its sending side"})
		c.Peer.CloseWrite()
	case explore.Leave:
		c.w.show(explore.Row{Client: c.Name + " closes"})
		c.Peer.Close()
	case explore.Break:
		c.w.show(explore.Row{Kernel: "the connection of " + c.Name + " breaks"})
		c.Peer.Reset()
	}
	return c.w.err
}

// asked is when the last byte of the frame that the judge saw last was sent (ms).
func (c *Client) asked() int64 {
	for len(c.stamps) > 1 && c.stamps[0].to < c.seen {
		c.stamps = c.stamps[1:]
	}
	return c.stamps[0].ms
}

// Pending is what has come of a reply that is not complete.
func (c *Client) Pending() []byte { return c.decoder.Pending() }

// connected tells whether what this client has sent can still arrive, and what it is owed too.
func (c *Client) connected() bool {
	return !c.Peer.Closed() && !c.Peer.Broken() && !c.Peer.Dead() && !c.Peer.Gone()
}
