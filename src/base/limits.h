/* limits.h: every bound on what a stranger can make us do, in one place, each with its reason.
 *
 * Each has a test just under and just over it (tests/unit/test_limits.c and the test of the module).
 * Sizes are bytes unless the name says otherwise.
 */
#ifndef DM_BASE_LIMITS_H
#define DM_BASE_LIMITS_H

/* A table, which tools/limits_doc.py reads line by line. */
/* clang-format off */

/* Input files */
#define DM_MAX_LINE         (1u << 20)   /* one log line; longer ones are skipped and counted: a line is a row, not a file */
#define DM_MAX_RATIO        200u         /* decompressed : compressed, once DM_RATIO_GRACE is passed: real logs stay under 60 */
#define DM_RATIO_GRACE      (16u << 20)  /* bytes that any compressed file may give before the ratio counts */
#define DM_MAX_INPUT        (1ull << 40) /* decompressed bytes of one input */
#define DM_MAX_DOCUMENT     (512u << 20) /* one JSON or XML document that must be split whole (a STIX bundle, a MISP feed) */
#define DM_MAX_ELEMENT      (64u << 20)  /* one element of a document: one STIX object, one MISP event */
/* JSON and YAML */
#define DM_MAX_DEPTH        64u          /* nesting: real STIX and MISP stay under 12 */
#define DM_MAX_NODES        4000000u     /* values in one parsed document */
#define DM_MAX_YAML         (4u << 20)   /* a YAML file is written by a person */
/* Records */
#define DM_MAX_VALUE        65536u       /* one text value of a record; longer ones are cut and marked */
#define DM_MAX_VALUES       512u         /* values of one field in one record (DNS answers, SANs) */
#define DM_MAX_RECORD       (4u << 20)   /* all text of one record */
#define DM_MAX_BATCH_ROWS   4096u        /* rows in one batch from a worker */
#define DM_MAX_FRAME        (32u << 20)  /* one frame from a worker */
#define DM_MAX_OPEN_DAYS    64u          /* days open per import; stragglers go to a mixed segment */
#define DM_MAX_SEGMENT_ROWS (1u << 20)   /* rows of one segment */
#define DM_BLOCK_ROWS       1024u        /* rows of one column block */
#define DM_MAX_SKIP_NOTES   1000u        /* reasons kept per import; all are counted */
/* Observables */
#define DM_MAX_DOMAIN       255u         /* RFC 1035 s.2.3.4, as text */
#define DM_MAX_URL          8192u
#define DM_MAX_EMAIL        320u         /* RFC 3696 erratum 1690: 64 + 1 + 255 */
/* STIX */
#define DM_MAX_OBSERVED_OBJECTS 4096u    /* objects of one observed-data: real ones have under 100 */
#define DM_MAX_EXPANSION    16u          /* observed-data may refer to the same objects: all of them together to this many times the file */
/* Indicators and patterns */
#define DM_MAX_INDICATORS   20000000u    /* in one set */
#define DM_MAX_TABLE_COLUMNS 128u        /* columns of a table of indicators that are looked at; published ones have up to 40 */
#define DM_MAX_ROW_LINES    200u         /* lines of one row whose quotes stay open: a quote that nobody closes must not swallow the file */
#define DM_MAX_ROW_BYTES    (256u << 10) /* bytes of such a row */
#define DM_MAX_HELD         20000u       /* names between words that wait for the end of a report; one with more is taken not to defang */
#define DM_MAX_PATTERN      65536u       /* text of one STIX pattern */
#define DM_MAX_PATTERN_NODES 20000u      /* comparisons and operators in one pattern */
#define DM_PATTERN_STEPS    20000000u    /* step budget of one pattern over one hunt */
#define DM_PATTERN_PER_OBS  100u         /* steps added for each observation of a file */
#define DM_MAX_PATTERN_OPEN 2000u        /* moments and branches open at once in the search for a binding */
#define DM_REGEX_MATCH      100000u      /* PCRE2 match limit of one MATCHES on one value */
#define DM_REGEX_HEAP_KIB   2048u        /* PCRE2 heap limit */
/* Logs */
#define DM_MAX_COLUMNS      512u         /* columns of one log or table of evidence: real ones have 10 to 120 */
#define DM_MAX_EVENT        (16u << 20)  /* one JSON event that spans lines */
/* Capture files */
#define DM_MAX_PACKET       262144u      /* snap length believed */
#define DM_MAX_FLOWS        1000000u     /* flows tracked at once; the oldest is written out */
#define DM_MAX_REASSEMBLY   65536u       /* bytes kept of one direction of one flow for TLS, HTTP and DNS over TCP */
#define DM_MAX_CAPTURE_KEPT (256u << 20) /* bytes of payload kept over all flows of a capture; flows over it are counted, not looked into */
#define DM_CERTS_SEEN       65536u       /* certificates remembered as already written, so that each gives a row but once */
#define DM_MAX_SPOOL        (1u << 30)   /* unpacked bytes kept in memory for an external decoder, which wants a file */
/* Exports */
#define DM_MAX_BLOCKLIST    (1u << 30)   /* text of one block list: 5 million entries */
/* Import workers */
#define DM_WORKER_MEMORY    (1ull << 30) /* address space of a worker: a document of DM_MAX_DOCUMENT and its nodes */
#define DM_WORKER_STALL_S   60u          /* without a frame and without input consumed: it hangs */
#define DM_WORKER_CPU_S     300u         /* processor time for any file ... */
#define DM_WORKER_CPU_MIB_S 2u           /* ... and for each MiB of it: slow formats take 0.05 s */
#define DM_WORKER_HEAD      65536u       /* bytes of a pipe that are kept for a second start */

#endif
