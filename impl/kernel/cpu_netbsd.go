package kernel

// threadClock is the clock of the processor time of this thread, which x/sys does not name here.
const threadClock = 0x20000000
