package rhythm

import (
	"errors"
	"strconv"
	"time"

	"rondo/check/wire"
	"rondo/model"
)

// This file lets keys become due and watches, from outside, how long they stay: DBSIZE counts them,
// and nobody asks for one, since a key that is asked for when it is due goes at once everywhere.
//
// Deadlines are absolute, on the server's clock: what it is ahead of ours is measured first.

// ahead is the server's wall clock less that of this measurement's origin plus its clock, in ns: by
// TIME, as the fastest of some answers has it. A server without TIME has ours.
func (s *stage) ahead() (int64, error) {
	best, ahead := int64(1<<62), int64(0)
	for range 8 {
		asked := time.Now()
		r, err := s.ask("TIME")
		if errors.As(err, new(refused)) || err == nil && len(r.Elems) != 2 {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		round := int64(time.Since(asked))
		sec, err1 := strconv.ParseInt(r.Elems[0].Str, 10, 64)
		us, err2 := strconv.ParseInt(r.Elems[1].Str, 10, 64)
		if err1 != nil || err2 != nil {
			return 0, nil
		}
		if round < best {
			best, ahead = round, sec*1e9+us*1e3-asked.UnixNano()-round/2
		}
	}
	return ahead, nil
}

// A storm is late if its keys are filled in after their deadline: then it is tried again, with twice
// the time.
const stormTries = 4

func beforeExpiryStorm(s *stage) error {
	if s.rate == 0 { // the first kind: how fast is it?
		if err := s.fill(min(s.opt.Keys, 50_000), fillBatch); err != nil {
			return err
		}
	}
	ahead, err := s.ahead()
	if err != nil {
		return err
	}
	for try := range stormTries {
		room := time.Duration(float64(s.opt.Keys)/s.rate*1.3*float64(int(1)<<try)*1e9) + settleTime + leadTime + time.Second
		due := time.Now().Add(room).Truncate(time.Millisecond)
		at := due.UnixMilli() + ahead/1e6
		if err := s.fill(s.opt.Keys, fillBatch, "PXAT", strconv.FormatInt(at, 10)); err != nil {
			return orSkip(err)
		}
		s.keys = -1
		if time.Until(due) > settleTime+leadTime {
			s.due = due.Add(time.Duration(at*1e6 - ahead - due.UnixNano()))
			return nil
		}
	}
	return errors.New("the keys cannot be written before they are due")
}

func expiryStorm(s *stage) error {
	due := int64(s.due.Sub(s.clock.origin))
	if err := Pause(s.ctx, time.Duration(due-s.clock.now())); err != nil {
		return err
	}
	s.begin = due
	deadlines := make([]int64, s.opt.Keys)
	for i := range deadlines {
		deadlines[i] = due
	}
	return s.watch(deadlines, s.opt.Keys+1, due+int64(lagWait))
}

func fillVolatile(s *stage) error {
	err := orSkip(s.fill(s.opt.Keys, fillBatch, "PX", "3600000"))
	s.keys = -1
	return err
}

func dueAmong(s *stage) error {
	ahead, err := s.ahead()
	if err != nil {
		return err
	}
	// The first is due when all are written.
	first := time.Now().Add(500 * time.Millisecond).Truncate(time.Millisecond)
	deadlines := make([]int64, dueKeys)
	err = s.flood(dueKeys, dueKeys, func(b []byte, i int) []byte {
		at := first.Add(time.Duration(i)*time.Millisecond).UnixMilli() + ahead/1e6
		deadlines[i] = at*1e6 - ahead - s.clock.origin.UnixNano()
		return wire.AppendCommand(b, []byte("SET"), []byte("due:"+strconv.Itoa(i)), []byte("v"), []byte("PXAT"),
			strconv.AppendInt(nil, at, 10))
	})
	if err != nil {
		return err
	}
	s.begin = deadlines[0]
	return s.watch(deadlines, s.opt.Keys+1+dueKeys, deadlines[dueKeys-1]+int64(lagWait))
}

// watch counts until all that have a deadline are gone, or until the end.
func (s *stage) watch(deadlines []int64, most int, end int64) error {
	var looks []seen
	for {
		r, err := s.ask("DBSIZE")
		if err != nil {
			return err
		}
		if r.Kind != model.Int {
			return skip("DBSIZE does not answer with a number")
		}
		now := s.clock.now()
		gone := most - int(r.Int)
		if len(looks) == 0 || gone != looks[len(looks)-1].gone {
			looks = append(looks, seen{now, gone})
		}
		if gone >= len(deadlines) || now >= end {
			s.lag = lags(deadlines, looks, now)
			return nil
		}
		if err := Pause(s.ctx, lagPoll); err != nil {
			return err
		}
	}
}
