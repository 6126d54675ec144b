/* One bracket over one observation: values, types, paths, references, operators (STIX 2.1 s.9.6 and 9.7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/limits.h"
#include "hunt/nfc.h"
#include "hunt/observed.h"
#include "hunt/pattern.h"
#include "hunt/regex.h"

struct check {
	const char *pattern;
	int want; /* 1 match, 0 none */
};

static const char objects[] =
	"{\"0\": {\"type\": \"t\", \"int\": 5, \"neg\": -3, \"float\": 2.5, \"whole\": 4.0, \"exp\": 1.5e3, "
	"\"tiny\": 1E-400, "
	"\"big\": 9007199254740993, \"huge\": 123456789012345678901234567890, \"string\": \"hello\", "
	"\"empty\": \"\", "
	"\"digits\": \"5\", \"yes\": true, \"no\": false, \"nil\": null, \"list\": [1, \"two\", [3, 4], "
	"{\"k\": 5}], \"none\": [], "
	"\"dict\": {\"key\": \"v\", \"a-b\": 1, \"a.b\": 2, \"\": 3}, \"time\": \"2014-12-19T10:00:00.5Z\", "
	"\"zone\": \"2014-12-19T12:00:00+02:00\", \"day\": \"2014-12-19\", \"combining\": \"cafe\\u0301\", "
	"\"composed\": \"caf\\u00e9\", \"high\": \"\\u0100\", \"latin\": \"\\u00ff\", \"lines\": "
	"\"one\\ntwo\", \"nul\": \"a\\u0000b\", "
	"\"smile\": \"\\ud83d\\ude00\", \"quote\": \"it's\", \"slash\": \"C:\\\\x\", \"o\": \"o\", "
	"\"data_hex\": \"FFd8\", \"text_hex\": \"68656c6c6f\", \"odd_hex\": \"abc\", \"list_hex\": [\"61\"], "
	"\"num_hex\": 61, "
	"\"data_bin\": \"/9g=\", \"text_bin\": \"dGhpcyBpcyBhIHRlc3Q=\", \"bad_bin\": \"/9g\", "
	"\"empty_bin\": \"\", "
	"\"hashes\": {\"SHA256\": \"00\", \"md5\": \"11\", \"custom\": \"22\"}, \"MD5\": \"33\"}}";

static const struct check values[] = {
	/* numbers, exact in decimal */
	{"[t:int = 5]", 1},
	{"[t:int == 5]", 1},
	{"[t:int = 6]", 0},
	{"[t:int = 5.0]", 1},
	{"[t:int = 5.5]", 0},
	{"[t:int = +5]", 1},
	{"[t:int = '5']", 0},
	{"[t:digits = 5]", 0},
	{"[t:digits = '5']", 1},
	{"[t:int != 5]", 0},
	{"[t:int <> 6]", 1},
	{"[t:int != '5']", 1},
	{"[t:int != true]", 1},
	{"[t:neg = -3]", 1},
	{"[t:neg < -2.5]", 1},
	{"[t:neg < -3.5]", 0},
	{"[t:float = 2.5]", 1},
	{"[t:float = 2]", 0},
	{"[t:float > 2]", 1},
	{"[t:float < 3]", 1},
	{"[t:float >= 2.50]", 1},
	{"[t:whole = 4]", 1},
	{"[t:exp = 1500]", 1},
	{"[t:exp < 1500.01]", 1},
	{"[t:tiny > 0]", 1},
	{"[t:tiny = 0]", 0},
	{"[t:big = 9007199254740993]", 1},
	{"[t:big = 9007199254740992]", 0},
	{"[t:big > 9007199254740992.5]", 1},
	{"[t:huge = 123456789012345678901234567890]", 1},
	{"[t:huge < 123456789012345678901234567891]", 1},
	{"[t:int > 4]", 1},
	{"[t:int >= 5]", 1},
	{"[t:int < 5]", 0},
	{"[t:int <= 5]", 1},
	{"[t:int NOT < 5]", 1},
	{"[t:int NOT <= 5]", 0},
	{"[t:int NOT = 6]", 1},
	{"[t:int NOT != 5]", 1},
	/* order between types that have none: false, negated or not */
	{"[t:string > 5]", 0},
	{"[t:string < 5]", 0},
	{"[t:string NOT < 5]", 0},
	{"[t:yes > 0]", 0},
	/* booleans, null, lists and dictionaries */
	{"[t:yes = true]", 1},
	{"[t:no = false]", 1},
	{"[t:yes = false]", 0},
	{"[t:yes != false]", 1},
	{"[t:yes = 1]", 0},
	{"[t:yes = 'true']", 0},
	{"[t:nil = 0]", 0},
	{"[t:nil = '']", 0},
	{"[t:nil != '']", 1},
	{"[t:nil NOT LIKE 'x']", 1},
	{"[t:list = 1]", 0},
	{"[t:list != 1]", 1},
	{"[t:dict = 'v']", 0},
	/* strings by code point, not normalised */
	{"[t:string = 'hello']", 1},
	{"[t:string = 'Hello']", 0},
	{"[t:string > 'hell']", 1},
	{"[t:string < 'hellp']", 1},
	{"[t:string < 'hello ']", 1},
	{"[t:empty = '']", 1},
	{"[t:empty < 'a']", 1},
	{"[t:quote = 'it\\'s']", 1},
	{"[t:slash = 'C:\\\\x']", 1},
	{"[t:combining = 'cafe\xcc\x81']", 1},
	{"[t:combining = 'caf\xc3\xa9']", 0},
	{"[t:combining < 'caf\xc3\xa9']", 1},
	{"[t:o < 'oz']", 1},
	{"[t:o < 'o\xcc\x80']", 1},
	{"[t:smile > '\xef\xbf\xbd']", 1},
	{"[t:nul > 'a']", 1},
	/* sets */
	{"[t:int IN (1, 5)]", 1},
	{"[t:int IN (1, 5.0)]", 1},
	{"[t:int IN ('5')]", 0},
	{"[t:int NOT IN (1, 2)]", 1},
	{"[t:int NOT IN (5)]", 0},
	{"[t:int IN ()]", 0},
	{"[t:int NOT IN ()]", 1},
	{"[t:string IN ('a', 'hello', 'z')]", 1},
	{"[t:string IN ('a', 'hell', 'z')]", 0},
	{"[t:yes IN (true)]", 1},
	{"[t:yes IN (1)]", 0},
	{"[t:time IN (t'2014-12-19T10:00:00.500Z')]", 1},
	{"[t:text_bin IN ('x', 'this is a test')]", 1},
	{"[t:list[*] IN ('one', 'two')]", 1},
	/* timestamps are instants */
	{"[t:time = t'2014-12-19T10:00:00.5Z']", 1},
	{"[t:time = t'2014-12-19T10:00:00.500000Z']", 1},
	{"[t:time = t'2014-12-19T10:00:00Z']", 0},
	{"[t:time > t'2014-12-19T10:00:00Z']", 1},
	{"[t:time = '2014-12-19T10:00:00.5Z']", 1},
	{"[t:time = '2014-12-19T10:00:00.50Z']", 0},
	{"[t:zone = t'2014-12-19T10:00:00Z']", 1},
	{"[t:day = t'2014-12-19T00:00:00Z']", 0},
	{"[t:day != t'2014-12-19T00:00:00Z']", 1},
	{"[t:string < t'2014-12-19T00:00:00Z']", 0},
	/* octets */
	{"[t:data_hex = h'ffd8']", 1},
	{"[t:data_hex = b'/9g=']", 1},
	{"[t:data_bin = h'FFD8']", 1},
	{"[t:data_bin = b'/9g=']", 1},
	{"[t:data_bin = '/9g=']", 0},
	{"[t:data_bin = '\xc3\xbf\xc3\x98']", 1},
	{"[t:data_bin != '\xc4\x80']", 1},
	{"[t:data_bin < '\xc4\x80']", 0},
	{"[t:data_bin > h'ff']", 1},
	{"[t:data_bin < h'ffd800']", 1},
	{"[t:data_bin < h'80']", 0},
	{"[t:text_bin = 'this is a test']", 1},
	{"[t:text_bin = b'dGhpcyBpcyBhIHRlc3Q=']", 1},
	{"[t:text_bin = h'7468697320697320612074657374']", 1},
	{"[t:text_bin = 'dGhpcyBpcyBhIHRlc3Q=']", 0},
	{"[t:text_hex = 'hello']", 1},
	{"[t:string = h'68656c6c6f']", 1},
	{"[t:latin = h'ff']", 1},
	{"[t:high = h'0100']", 0},
	{"[t:high != h'0100']", 1},
	{"[t:empty_bin = h'']", 1},
	{"[t:odd_hex = 'abc']", 0},
	{"[t:odd_hex != 'abc']", 1},
	{"[t:bad_bin = h'ffd8']", 0},
	{"[t:num_hex = 61]", 1},
	{"[t:list_hex[0] = '61']", 1},
	/* LIKE: the whole value, NFC */
	{"[t:string LIKE 'hello']", 1},
	{"[t:string LIKE 'h%']", 1},
	{"[t:string LIKE '%o']", 1},
	{"[t:string LIKE '%l%l%']", 1},
	{"[t:string LIKE '%l%l%l%']", 0},
	{"[t:string LIKE 'h_llo']", 1},
	{"[t:string LIKE '_____']", 1},
	{"[t:string LIKE '____']", 0},
	{"[t:string LIKE 'HELLO']", 0},
	{"[t:string LIKE 'ell']", 0},
	{"[t:string NOT LIKE 'x%']", 1},
	{"[t:string LIKE '%']", 1},
	{"[t:empty LIKE '%']", 1},
	{"[t:empty LIKE '']", 1},
	{"[t:empty LIKE '_']", 0},
	{"[t:lines LIKE 'one%two']", 1},
	{"[t:lines LIKE 'one_two']", 1},
	{"[t:combining LIKE 'caf\xc3\xa9']", 1},
	{"[t:composed LIKE 'cafe\xcc\x81']", 1},
	{"[t:combining LIKE 'caf_']", 1},
	{"[t:smile LIKE '_']", 1},
	{"[t:int LIKE '5']", 0},
	{"[t:int NOT LIKE '5']", 1},
	{"[t:slash LIKE 'C:\\\\_']", 1},
	{"[t:text_bin LIKE 'this%']", 1},
	{"[t:data_bin LIKE '__']", 1},
	/* MATCHES: search, dot takes line ends, Unicode for text and octets for binary */
	{"[t:string MATCHES 'ell']", 1},
	{"[t:string MATCHES '^ell']", 0},
	{"[t:string MATCHES '^h.*o$']", 1},
	{"[t:string MATCHES '(?i)HELLO']", 1},
	{"[t:string NOT MATCHES 'x']", 1},
	{"[t:lines MATCHES 'one.two']", 1},
	{"[t:lines MATCHES '^two']", 0},
	{"[t:lines MATCHES '(?m)^two']", 1},
	{"[t:composed MATCHES '^caf.$']", 1},
	{"[t:combining MATCHES '^caf.$']", 1},
	{"[t:composed MATCHES 'e\xcc\x81']", 1},
	{"[t:composed MATCHES '^\\\\w+$']", 1},
	{"[t:smile MATCHES '^.$']", 1},
	{"[t:nul MATCHES 'a\\\\x00b']", 1},
	{"[t:int MATCHES '5']", 0},
	{"[t:int NOT MATCHES '5']", 1},
	{"[t:data_bin MATCHES '^\\\\xff\\\\xd8$']", 1},
	{"[t:data_bin MATCHES '^..$']", 1},
	{"[t:data_hex MATCHES '\\\\xd8']", 1},
	{"[t:data_bin MATCHES '\xc3\xbf']", 1},
	{"[t:data_bin MATCHES '\xc4\x80']", 0},
	{"[t:text_bin MATCHES 'is\\\\s+a']", 1},
	/* lists, dictionaries, quoted keys */
	{"[t:list[0] = 1]", 1},
	{"[t:list[1] = 'two']", 1},
	{"[t:list[4] = 1]", 0},
	{"[t:list[4] != 1]", 0},
	{"[t:list[-1] = 1]", 0},
	{"[t:list[99999999999999999999] != 1]", 0},
	{"[t:list[*] = 'two']", 1},
	{"[t:list[*] = 'three']", 0},
	{"[t:list[*] NOT = 'two']", 1},
	{"[t:list[2][1] = 4]", 1},
	{"[t:list[*][*] = 4]", 1},
	{"[t:list[*].k = 5]", 1},
	{"[t:list[3].k = 5]", 1},
	{"[t:list.k = 5]", 0},
	{"[t:none[*] != 1]", 0},
	{"[t:none[*] NOT = 1]", 0},
	{"[t:dict.key = 'v']", 1},
	{"[t:dict.'key' = 'v']", 1},
	{"[t:dict.'a-b' = 1]", 1},
	{"[t:dict.'a.b' = 2]", 1},
	{"[t:dict.'' = 3]", 1},
	{"[t:dict[0] = 'v']", 0},
	{"[t:dict[*] = 'v']", 0},
	{"[t:string.x = 'v']", 0},
	{"[t:string[0] = 'h']", 0},
	{"[t:'string' = 'hello']", 1},
	{"[t:type = 't']", 1},
	/* what is not there is false, whatever is asked */
	{"[t:missing = 1]", 0},
	{"[t:missing != 1]", 0},
	{"[t:missing NOT = 1]", 0},
	{"[t:missing NOT IN (1)]", 0},
	{"[t:missing NOT LIKE 'x']", 0},
	{"[u:int != 1]", 0},
	{"[EXISTS t:string]", 1},
	{"[EXISTS t:nil]", 1},
	{"[EXISTS t:none]", 1},
	{"[EXISTS t:none[*]]", 0},
	{"[EXISTS t:missing]", 0},
	{"[EXISTS t:dict.key]", 1},
	{"[EXISTS t:dict.nokey]", 0},
	{"[EXISTS t:list[3].k]", 1},
	{"[NOT EXISTS t:missing]", 1},
	{"[NOT EXISTS t:string]", 0},
	{"[NOT EXISTS u:missing]", 0},
	/* hash names: as written first, then whatever the spelling */
	{"[t:hashes.SHA256 LIKE '00']", 1},
	{"[t:hashes.'SHA-256' LIKE '00']", 1},
	{"[t:hashes.'sha-256' LIKE '00']", 1},
	{"[t:hashes.MD5 LIKE '11']", 1},
	{"[t:hashes.CUSTOM LIKE '22']", 1},
	{"[t:hashes.'SHA-1' LIKE '%']", 0},
	{"[t:md5 = '33']", 0},
	/* AND, OR */
	{"[t:int = 5 AND t:string = 'hello']", 1},
	{"[t:int = 5 AND t:string = 'x']", 0},
	{"[t:int = 6 OR t:string = 'hello']", 1},
	{"[t:int = 6 OR t:string = 'x']", 0},
	{"[t:int = 5 OR t:int = 6 AND t:string = 'x']", 1},
	{"[(t:int = 5 OR t:int = 6) AND t:string = 'x']", 0},
	{"[t:int = 5 AND u:int = 5]", 0},
	{"[t:int = 5 OR u:int = 5]", 1},
	{"[t:string = 'a' OR t:string = 'hello' OR t:string = 'b']", 1},
	{"[t:string = 'a' OR t:string = 'b' OR t:int = 5]", 1},
	{"[t:string = 'a' OR t:text_bin = 'x' OR t:text_bin = 'this is a test']", 1},
};

static const char network[] =
	"{\"0\": {\"type\": \"ipv4-addr\", \"value\": \"198.51.100.7\", \"resolves_to_refs\": [\"9\", "
	"\"nowhere\", \"8\"]}, "
	"\"1\": {\"type\": \"ipv4-addr\", \"value\": \"203.0.113.0/25\"}, \"2\": {\"type\": \"ipv6-addr\", "
	"\"value\": \"2001:db8::7\"}, "
	"\"3\": {\"type\": \"domain-name\", \"value\": \"a.example\", \"resolves_to_refs\": [\"0\", \"2\"]}, "
	"\"4\": {\"type\": \"network-traffic\", \"src_ref\": \"0\", \"dst_ref\": \"3\", \"protocols\": "
	"[\"ipv4\", \"tcp\", \"http\"], "
	"\"dst_port\": 80, \"encapsulates_refs\": [\"5\"], \"extensions\": {\"http-request-ext\": "
	"{\"request_header\": "
	"{\"User-Agent\": \"evil/1.0\"}}}}, "
	"\"5\": {\"type\": \"network-traffic\", \"src_ref\": \"1\", \"dst_ref\": \"nowhere\", "
	"\"encapsulated_by_ref\": \"4\"}, "
	"\"6\": {\"type\": \"x\", \"self_ref\": \"6\", \"odd_ref\": 5, \"odd_refs\": \"0\", \"v\": 1}, "
	"\"7\": {\"value\": \"no type\"}, \"8\": {\"type\": \"mac-addr\", \"value\": \"00:00:5e:00:53:01\"}, "
	"\"9\": {\"type\": \"mac-addr\", \"value\": \"00:00:5e:00:53:02\"}}";

static const struct check references[] = {
	{"[network-traffic:src_ref.value = '198.51.100.7']", 1},
	{"[network-traffic:src_ref.type = 'ipv4-addr']", 1},
	{"[network-traffic:dst_ref.value = 'a.example']", 1},
	{"[network-traffic:dst_ref.type = 'domain-name' AND network-traffic:dst_ref.value = 'a.example']", 1},
	{"[network-traffic:dst_ref.resolves_to_refs[*].value = '2001:db8::7']", 1},
	{"[network-traffic:dst_ref.resolves_to_refs[1].value = '2001:db8::7']", 1},
	{"[network-traffic:dst_ref.resolves_to_refs[0].value = '2001:db8::7']", 0},
	{"[network-traffic:dst_ref.resolves_to_refs[0].resolves_to_refs[2].value = '00:00:5e:00:53:01']", 1},
	{"[ipv4-addr:resolves_to_refs[1].value != 'x']", 0},
	{"[domain-name:value = 'a.example' AND domain-name:resolves_to_refs[*].value = '198.51.100.7']", 1},
	{"[network-traffic:src_ref.value = '203.0.113.0/25' AND network-traffic:dst_port = 80]", 0},
	{"[network-traffic:encapsulates_refs[*].src_ref.value = '203.0.113.0/25' AND "
	 "network-traffic:dst_port = 80]",
	 1},
	{"[network-traffic:encapsulated_by_ref.dst_port = 80]", 1},
	{"[network-traffic:dst_ref = 'nowhere']", 0},
	{"[network-traffic:src_ref = '0']", 0},
	{"[EXISTS network-traffic:src_ref]", 1},
	{"[EXISTS network-traffic:dst_ref.value]", 1},
	{"[EXISTS network-traffic:dst_ref AND network-traffic:encapsulated_by_ref.dst_port = 80]", 1},
	{"[EXISTS network-traffic:dst_ref.value AND network-traffic:encapsulated_by_ref.dst_port = 80]", 0},
	{"[network-traffic:protocols[*] = 'http']", 1},
	{"[network-traffic:protocols[2] = 'http']", 1},
	{"[network-traffic:protocols = 'http']", 0},
	{"[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'evil/1.0']", 1},
	{"[x:self_ref.self_ref.self_ref.v = 1]", 1},
	{"[x:odd_ref.v = 1]", 0},
	{"[x:odd_refs[0].value = '198.51.100.7']", 0},
	{"[x:odd_ref = 5]", 0},
	{"[ipv4-addr:value ISSUBSET '198.51.100.0/24']", 1},
	{"[ipv4-addr:value ISSUBSET '198.51.100.7']", 1},
	{"[ipv4-addr:value ISSUBSET '198.51.100.7/32']", 1},
	{"[ipv4-addr:value ISSUBSET '198.51.100.8/32']", 0},
	{"[ipv4-addr:value ISSUBSET '203.0.113.0/24']", 1},
	{"[ipv4-addr:value ISSUBSET '203.0.113.0/25']", 1},
	{"[ipv4-addr:value ISSUBSET '203.0.113.0/26']", 0},
	{"[ipv4-addr:value ISSUBSET '203.0.113.99/24']", 1},
	{"[ipv4-addr:value ISSUBSET '0.0.0.0/0']", 1},
	{"[ipv4-addr:value ISSUPERSET '203.0.113.0/26']", 1},
	{"[ipv4-addr:value ISSUPERSET '203.0.113.5']", 1},
	{"[ipv4-addr:value ISSUPERSET '203.0.113.0/25']", 1},
	{"[ipv4-addr:value ISSUPERSET '203.0.113.0/24']", 0},
	{"[ipv4-addr:value ISSUPERSET '198.51.100.7/32']", 1},
	{"[ipv4-addr:value NOT ISSUBSET '10.0.0.0/8']", 1},
	{"[ipv6-addr:value ISSUBSET '2001:db8::/32']", 1},
	{"[ipv6-addr:value ISSUBSET '2001:db9::/32']", 0},
	{"[ipv6-addr:value ISSUBSET '::/0']", 1},
	{"[ipv4-addr:value ISSUBSET '::/0']", 0},
	{"[ipv6-addr:value ISSUBSET '0.0.0.0/0']", 0},
	{"[domain-name:value ISSUBSET '0.0.0.0/0']", 0},
	{"[domain-name:value NOT ISSUBSET '0.0.0.0/0']", 1},
	{"[network-traffic:src_ref.value ISSUBSET '198.51.100.0/24']", 1},
	{"[network-traffic:dst_port ISSUBSET '0.0.0.0/0']", 0},
};

/* Evidence of our own holds canonical values: constants are compared in that form too. */
static const char own[] = "[{\"id\": \"1\", \"type\": \"ipv4-addr\", \"value\": \"198.51.100.7\"}, {\"id\": "
			  "\"2\", \"type\": \"ipv6-addr\", \"value\": "
			  "\"2001:db8::1\"}, {\"id\": \"3\", \"type\": \"domain-name\", \"value\": "
			  "\"xn--bcher-kva.example\"}, {\"id\": \"4\", \"type\": "
			  "\"file\", \"hashes\": {\"MD5\": \"79054025255fb1a26e4bc422aef54eb4\"}, \"name\": "
			  "\"A.exe\"}, {\"id\": \"5\", \"type\": "
			  "\"windows-registry-key\", \"key\": \"HKEY_LOCAL_MACHINE\\\\Software\\\\Evil\"}, "
			  "{\"id\": \"6\", \"type\": \"email-addr\", "
			  "\"value\": \"Joe@example.com\"}]";

static const struct {
	const char *pattern;
	int plain, canonical;
} canonical[] = {
	{"[ipv4-addr:value = '198.51.100.7']", 1, 1},
	{"[ipv4-addr:value = '198.51.100.7/32']", 0, 1},
	{"[ipv4-addr:value != '198.51.100.7/32']", 1, 0},
	{"[ipv4-addr:value IN ('10.0.0.1', '198.51.100.7/32')]", 0, 1},
	{"[ipv4-addr:value = '198.51.100.0/24']", 0, 0},
	{"[ipv6-addr:value = '2001:0db8:0:0:0:0:0:0001']", 0, 1},
	{"[ipv6-addr:value = '2001:0db8:0:0:0:0:0:0001/128']", 0, 1},
	{"[domain-name:value = 'B\xc3\xbc"
	 "cher.Example.']",
	 0, 1},
	{"[domain-name:value = 'a.example' OR domain-name:value = 'B\xc3\xbc"
	 "cher.Example']",
	 0, 1},
	{"[file:hashes.MD5 = '79054025255FB1A26E4BC422AEF54EB4']", 0, 1},
	{"[file:hashes.md5 = '79054025255FB1A26E4BC422AEF54EB4']", 0, 1},
	{"[file:name = 'a.exe']", 0, 0},
	{"[windows-registry-key:key = 'hklm\\\\SOFTWARE\\\\evil']", 0, 1},
	{"[windows-registry-key:key IN ('x', 'hklm\\\\SOFTWARE\\\\evil')]", 0, 1},
	{"[email-addr:value = 'Joe@EXAMPLE.com']", 0, 1},
	{"[email-addr:value = 'joe@example.com']", 0, 0},
	{"[domain-name:value LIKE '%BCHER%']", 0, 0},
};

static int evaluate(const char *pattern, const struct dm_observation *o, uint64_t steps, struct dm_err *err)
{
	struct dm_budget budget = {steps};
	struct dm_pattern *p = NULL;
	bool hit = false;
	int rc;

	*err = (struct dm_err){0};
	rc = dm_pattern_parse(&p, dm_sv_str(pattern), err);
	if (!rc)
		rc = dm_pattern_bracket_matches(p, 0, o, &budget, &hit, err);
	dm_pattern_free(p);
	return rc ? rc : hit;
}

static unsigned run(const char *json, const struct check *c, size_t n)
{
	struct dm_observed_graph g = {0};
	struct dm_err err = {0};
	unsigned failed = 0;

	assert_int_equal(dm_observed_parse(&g, dm_sv_str(json), &err), 0);
	for (size_t i = 0; i < n; i++) {
		int rc = evaluate(c[i].pattern, &g.o, 1000000, &err);

		if (rc != c[i].want) {
			print_error("%s: %d %s\n", c[i].pattern, rc, rc < 0 ? err.msg : "");
			failed++;
		}
	}
	dm_observed_graph_done(&g);
	return failed;
}

static void values_compare_as_the_specification_says(void **state)
{
	(void)state;
	assert_int_equal(run(objects, values, sizeof(values) / sizeof(values[0])), 0);
}

static void references_and_networks_are_followed(void **state)
{
	(void)state;
	assert_int_equal(run(network, references, sizeof(references) / sizeof(references[0])), 0);
}

static void own_evidence_compares_in_canonical_form(void **state)
{
	struct dm_observed_graph g = {0};
	struct dm_err err = {0};

	(void)state;
	assert_int_equal(dm_observed_parse(&g, dm_sv_str(own), &err), 0);
	for (size_t i = 0; i < sizeof(canonical) / sizeof(canonical[0]); i++) {
		int plain = evaluate(canonical[i].pattern, &g.o, 1000000, &err), canon;

		g.o.canonical = true;
		canon = evaluate(canonical[i].pattern, &g.o, 1000000, &err);
		g.o.canonical = false;
		if (plain != canonical[i].plain || canon != canonical[i].canonical)
			fail_msg("%s: plain %d, canonical %d", canonical[i].pattern, plain, canon);
	}
	dm_observed_graph_done(&g);
}

static void a_large_graph_finds_its_references(void **state)
{
	struct dm_observed_graph g = {0};
	struct dm_err err = {0};
	struct dm_buf json;

	(void)state;
	dm_buf_init(&json, 1 << 20);
	dm_buf_str(&json, "{\"d\": {\"type\": \"directory\", \"contains_refs\": [");
	for (int i = 0; i < 500; i++)
		dm_buf_printf(&json, "%s\"f%d\"", i ? "," : "", i * 2);
	dm_buf_str(&json, "]}");
	for (int i = 0; i < 500; i++)
		dm_buf_printf(&json, ",\"f%d\": {\"type\": \"file\", \"size\": %d}", i, i);
	dm_buf_putc(&json, '}');
	assert_int_equal(dm_observed_parse(&g, dm_buf_view(&json), &err), 0);
	assert_int_equal(evaluate("[directory:contains_refs[*].size = 498]", &g.o, 1000000, &err), 1);
	assert_int_equal(evaluate("[directory:contains_refs[*].size = 499]", &g.o, 1000000, &err), 0);
	assert_int_equal(evaluate("[directory:contains_refs[249].size = 498]", &g.o, 1000000, &err), 1);
	assert_int_equal(evaluate("[EXISTS directory:contains_refs[250].size]", &g.o, 1000000, &err), 0);
	dm_observed_graph_done(&g);
	dm_buf_done(&json);
}

/* --- limits --------------------------------------------------------------------------------------------- */

static void a_bracket_stops_at_its_budget(void **state)
{
	struct dm_observed_graph g = {0};
	struct dm_err err = {0};
	uint64_t need = 0;

	(void)state;
	assert_int_equal(dm_observed_parse(&g, dm_sv_str(network), &err), 0);
	while (evaluate("[domain-name:resolves_to_refs[*].value = 'none']", &g.o, need, &err) == DM_ELIMIT)
		need++;
	assert_in_range(need, 5, 100);
	assert_int_equal(evaluate("[domain-name:resolves_to_refs[*].value = 'none']", &g.o, need, &err), 0);
	assert_int_equal(evaluate("[domain-name:resolves_to_refs[*].value = 'none']", &g.o, need - 1, &err),
			 DM_ELIMIT);
	assert_non_null(strstr(err.remedy, "narrower"));
	dm_observed_graph_done(&g);
}

/* A list of n times the text x, in one object. */
static void text_graph(struct dm_observed_graph *g, const char *each, size_t n, const char *tail)
{
	struct dm_err err = {0};
	struct dm_buf json;

	dm_buf_init(&json, 1 << 24);
	dm_buf_str(&json, "{\"0\": {\"type\": \"t\", \"v\": \"");
	for (size_t i = 0; i < n; i++)
		dm_buf_str(&json, each);
	dm_buf_printf(&json, "%s\"}}", tail);
	assert_int_equal(dm_observed_parse(g, dm_buf_view(&json), &err), 0);
	dm_buf_done(&json);
}

static void a_regular_expression_stops_at_its_limit(void **state)
{
	struct dm_observed_graph g = {0};
	struct dm_err err = {0};

	(void)state;
	text_graph(&g, "a", 12, "b");
	assert_int_equal(evaluate("[t:v MATCHES '^(a+)+$']", &g.o, 1000000, &err), 0);
	text_graph(&g, "a", 40, "b");
	assert_int_equal(evaluate("[t:v MATCHES '^(a+)+$']", &g.o, 1000000, &err), DM_ELIMIT);
	assert_non_null(strstr(err.msg, "100000 steps"));
	/* The answer is unknown, so its negation is, too. */
	assert_int_equal(evaluate("[t:v NOT MATCHES '^(a+)+$']", &g.o, 1000000, &err), DM_ELIMIT);
	dm_observed_graph_done(&g);
}

static void like_pays_for_what_it_tries(void **state)
{
	struct dm_observed_graph g = {0};
	struct dm_err err = {0};

	(void)state;
	/* Each % tries every place: 3,000 x 500 comparisons. */
	text_graph(&g, "ab", 1500, "");
	assert_int_equal(
		evaluate(
			"[t:v LIKE "
			"'%abababababababababababababababababababababababababababababababababababababababx']",
			&g.o, 1000000, &err),
		0);
	assert_int_equal(
		evaluate(
			"[t:v LIKE "
			"'%abababababababababababababababababababababababababababababababababababababababx']",
			&g.o, 1000, &err),
		DM_ELIMIT);
	dm_observed_graph_done(&g);
}

static void marks_without_end_are_ordered_in_time(void **state)
{
	struct dm_observed_graph g = {0};
	struct dm_err err = {0};

	(void)state;
	/* U+0301 and U+0323 change places all the way: 400,000 marks would take minutes by insertion. */
	text_graph(&g, "\xcc\x81\xcc\xa3", 200000, "");
	assert_int_equal(evaluate("[t:v LIKE '\xcc\xa3%\xcc\x81']", &g.o, 100000000, &err), 1);
	dm_observed_graph_done(&g);
}

static void normalisation_is_that_of_unicode(void **state)
{
	static const char *const cases[][2] = {
		{"plain", "plain"},
		{"\xc3\xa9", "\xc3\xa9"},
		{"e\xcc\x81", "\xc3\xa9"},
		{"\xe2\x84\xab", "\xc3\x85"},				  /* angstrom sign */
		{"\xe2\x84\xa6", "\xce\xa9"},				  /* ohm sign */
		{"s\xcc\x87\xcc\xa3", "\xe1\xb9\xa9"},			  /* marks in the other order */
		{"\xe1\xb8\x8b\xcc\xa3", "\xe1\xb8\x8d\xcc\x87"},	  /* recomposed with the other mark */
		{"\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xed\x95\x9c"}, /* Hangul */
		{"\xed\x95\x98\xe1\x86\xab", "\xed\x95\x9c"},
		{"\xe0\xa4\x95\xe0\xa4\xbc", "\xe0\xa4\x95\xe0\xa4\xbc"}, /* excluded from composition */
		{"\xe0\xa5\x98", "\xe0\xa4\x95\xe0\xa4\xbc"},
		{"a\xcc\x95\xcc\x80\xd6\xae\xcc\x80", "\xc3\xa0\xd6\xae\xcc\x80\xcc\x95"},
		{"\xcc\x81", "\xcc\x81"},
		{"\xf0\x9d\x85\x9e", "\xf0\x9d\x85\x97\xf0\x9d\x85\xa5"}, /* musical symbol */
	};
	struct dm_arena arena = {0};
	struct dm_sv out;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(dm_nfc(&arena, dm_sv_str(cases[i][0]), &out));
		if (!dm_sv_is(out, cases[i][1]))
			fail_msg("case %zu gives %.*s", i, (int)out.n, out.p);
	}
	dm_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_compare_as_the_specification_says),
		cmocka_unit_test(references_and_networks_are_followed),
		cmocka_unit_test(own_evidence_compares_in_canonical_form),
		cmocka_unit_test(a_large_graph_finds_its_references),
		cmocka_unit_test(a_bracket_stops_at_its_budget),
		cmocka_unit_test(a_regular_expression_stops_at_its_limit),
		cmocka_unit_test(like_pays_for_what_it_tries),
		cmocka_unit_test(marks_without_end_are_ordered_in_time),
		cmocka_unit_test(normalisation_is_that_of_unicode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
