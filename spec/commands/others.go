package commands

import "strings"

// Elsewhere reports whether Redis 7.0 has a command (or subcommand, "client|pause") that this
// project does not cover. Such a name is neither in Table nor surely unknown to a server, so
// neither the model nor a generator may say anything about it.
func Elsewhere(name string) bool {
	name = strings.ToLower(name)
	if container, _, sub := strings.Cut(name, "|"); sub && !containers[container] {
		name = container
	}
	return elsewhere[name]
}

var elsewhere = func() map[string]bool {
	names := map[string]bool{}
	for _, name := range strings.Fields(otherCommands + otherSubcommands) {
		names[name] = true
	}
	return names
}()

const otherSubcommands = `
client|caching client|getredir client|help client|no-evict client|no-touch client|pause
client|reply client|setinfo client|tracking client|trackinginfo client|unpause
command|docs command|getkeys command|getkeysandflags command|help config|help config|rewrite
memory|help object|help object|refcount slowlog|help latency|help
`

// With POST and Host:, which drop the connection lest a page could make it send commands; and with
// LOOP, which Rondo has and Redis has not.
const otherCommands = `
acl asking bgrewriteaof bgsave bitcount bitfield bitfield_ro bitop bitpos
bzmpop bzpopmax bzpopmin cluster dump eval evalsha evalsha_ro eval_ro failover
fcall fcall_ro function geoadd geodist geohash geopos georadius georadiusbymember
georadiusbymember_ro georadius_ro geosearch geosearchstore getbit hdel hexists hget hgetall
hincrby hincrbyfloat hkeys hlen hmget hmset host: hrandfield hscan hset hsetnx hstrlen hvals
lastsave lcs lolwut loop
migrate module monitor pfadd pfcount pfdebug pfmerge pfselftest post psubscribe
psync publish pubsub punsubscribe readonly readwrite replconf restore restore-asking
sadd save scard script sdiff sdiffstore setbit sinter sintercard sinterstore sismember
smembers smismember smove sort sort_ro spop spublish
srandmember srem sscan ssubscribe subscribe substr sunion sunionstore sunsubscribe sync
unsubscribe wait waitaof xack xadd xautoclaim xclaim xdel xgroup xinfo xlen xpending xrange xread
xreadgroup xrevrange xsetid xtrim zadd zcard zcount zdiff zdiffstore zincrby zinter zintercard
zinterstore zlexcount zmpop zmscore zpopmax zpopmin zrandmember zrange zrangebylex zrangebyscore
zrangestore zrank zrem zremrangebylex zremrangebyrank zremrangebyscore zrevrange zrevrangebylex
zrevrangebyscore zrevrank zscan zscore zunion zunionstore
`
