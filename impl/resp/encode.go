package resp

func AppendSimple(buf []byte, s string) []byte             { panic("todo") } // +OK
func AppendError(buf []byte, text string) []byte           { panic("todo") } // -text, CR and LF become spaces
func AppendInt(buf []byte, n int64) []byte                 { panic("todo") }
func AppendBulk(buf, b []byte) []byte                      { panic("todo") }
func AppendBulkString(buf []byte, s string) []byte         { panic("todo") }
func AppendNull(buf []byte, proto int) []byte              { panic("todo") }
func AppendNullArray(buf []byte, proto int) []byte         { panic("todo") }
func AppendArray(buf []byte, n int) []byte                 { panic("todo") }
func AppendMap(buf []byte, n, proto int) []byte            { panic("todo") }
func AppendSet(buf []byte, n, proto int) []byte            { panic("todo") }
func AppendDouble(buf []byte, f float64, proto int) []byte { panic("todo") }
func AppendBool(buf []byte, b bool, proto int) []byte      { panic("todo") }
func AppendVerbatim(buf, text []byte, proto int) []byte    { panic("todo") }
