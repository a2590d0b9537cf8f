/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The option table: one row for each key of lanthorn.yaml. From a row come the parser, the
 * default, the range, its errors, the man page, the JSON Schema, the dump of what holds and the
 * answer to "does a reload do?". A key is added here, and as a field in config.h, and nowhere else.
 *
 * Sections nest: a row of kind MAP (lan.NAME) or SECTION (dns) points at the table of what is
 * inside, so that `device` and `boot` are written once though they stand in several places.
 * Static data; any thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_kind {
	CONFIG_BOOL,	   /* bool */
	CONFIG_INT,	   /* uint32_t */
	CONFIG_SIZE,	   /* uint64_t bytes */
	CONFIG_DURATION,   /* uint32_t seconds */
	CONFIG_WORD,	   /* an enum: the place of the word in `words` */
	CONFIG_TEXT,	   /* const char * */
	CONFIG_PATH,	   /* const char *, absolute; or one of `words` as it is */
	CONFIG_DOMAIN,	   /* const char *, a domain name */
	CONFIG_OWNER,	   /* const char *, a domain name that may begin with "*." */
	CONFIG_HOST,	   /* const char *, one label */
	CONFIG_LABEL,	   /* const char *, our own name for something, case kept */
	CONFIG_IFACE,	   /* const char * */
	CONFIG_IP,	   /* struct ip */
	CONFIG_IP4,	   /* struct ip */
	CONFIG_IP6,	   /* struct ip */
	CONFIG_IP_PORT,	   /* struct ip_port */
	CONFIG_PREFIX,	   /* struct ip_prefix */
	CONFIG_PREFIX4,	   /* struct ip_prefix */
	CONFIG_PREFIX6,	   /* struct ip_prefix */
	CONFIG_RANGE4,	   /* struct ip_range */
	CONFIG_RANGE6,	   /* struct ip_range */
	CONFIG_PD,	   /* struct config_pd */
	CONFIG_MAC,	   /* struct config_mac */
	CONFIG_MAC_PREFIX, /* struct config_mac_prefix */
	CONFIG_BYTES,	   /* struct config_bytes */
	CONFIG_ARCH,	   /* uint32_t */
	CONFIG_PTR,	   /* struct config_ptr */
	CONFIG_RR,	   /* const char *, "TYPE rdata" */
	/* Not scalars: */
	CONFIG_OPTIONS, /* struct config_option * and count */
	CONFIG_SECTION, /* a struct in place */
	CONFIG_MAP,	/* a pointer to structs that begin with const char *name, and count */
	CONFIG_KIND_COUNT,
};

enum config_effect {
	CONFIG_LIVE,	/* lanthorn reload does */
	CONFIG_RESTART, /* the next start */
};

struct config_section;

struct config_row {
	const char *key;
	enum config_kind kind;
	bool list;     /* pointer and count; a single value is taken as a list of one */
	bool required; /* must be given and not be empty */
	bool off;      /* `off` and `no` mean 0 */
	bool forever;  /* `infinite` means CONFIG_INFINITE */
	bool blank;    /* TEXT: an empty text means none */
	bool later;    /* not built yet: parsed and checked, warns when asked for */
	enum config_effect effect;
	uint16_t port;	       /* IP_PORT: when none is written */
	uint32_t offset;       /* in the section's struct */
	uint32_t count_offset; /* list, OPTIONS, MAP: of the size_t count */
	const char *preset;    /* the default as one would write it; NULL: the zero of its type */
	const char *otherwise; /* in words, where the default depends or is an absence */
	uint64_t min, max;     /* INT, SIZE, DURATION; MAP: max entries */
	const char *const *words;	      /* WORD, PATH; NULL-terminated */
	const struct config_section *section; /* SECTION, MAP */
	const char *help;		      /* one or two sentences, plain text */
};

struct config_section {
	const char *title;  /* "lan.NAME", as the man page calls it */
	const char *id;	    /* of the JSON Schema's definition */
	const char *help;   /* a paragraph, plain text */
	const char *sample; /* a few lines of YAML */
	const struct config_row *rows;
	size_t n_rows;
	size_t size;		    /* of the struct */
	enum config_kind name_kind; /* of the map's keys */
};

/* The top of the file: struct config. */
extern const struct config_section config_schema;

/* NULL when the section has no such key. */
const struct config_row *config_schema_get(const struct config_section *s, const char *key);
/* The nearest key of the section to what was written, or NULL when none is near. */
const char *config_schema_near(const struct config_section *s, const char *key);
/* The title of another section that knows this key ("" for the top), or NULL. */
const char *config_schema_elsewhere(const struct config_section *s, const char *key);

/* Damerau-Levenshtein distance (adjacent swaps count once), case ignored, _ and - alike; cut off
 * at limit + 1. Words longer than 63 bytes are far from everything. */
unsigned config_near(const char *a, const char *b, unsigned limit);
/* How far a word of this length may be from what is suggested: 0 to 3. */
unsigned config_near_limit(const char *word);
/* The nearest of a NULL-terminated list, or NULL. */
const char *config_near_word(const char *const *words, const char *text);
