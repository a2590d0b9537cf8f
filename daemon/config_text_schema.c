/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON Schema (draft-07, which editors know) from the option table. Keys and values are ours
 * and plain ASCII, so quoting is all the JSON there is to know. */
#include <inttypes.h>
#include <string.h>

#include "daemon/config_kind.h"
#include "daemon/config_options.h"
#include "daemon/config_text.h"

enum { SCHEMA_SECTIONS_MAX = 32 };

struct schema {
	FILE *out;
	const struct config_section *done[SCHEMA_SECTIONS_MAX];
	size_t n_done;
};

static void json_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void json_words(FILE *out, const char *const *words, const char *before)
{
	fputs("{ \"enum\": [ ", out);
	fputs(before, out);
	for (size_t i = 0; words[i]; i++) {
		fputs(i ? ", " : "", out);
		json_text(out, words[i]);
		/* What YAML makes of the bare word. */
		fputs(strcmp(words[i], "null") == 0 ? ", null" : "", out);
	}
	fputs(" ] }", out);
}

/* One value of a row, without its description. */
static void schema_value(const struct config_row *row, FILE *out)
{
	static const char text[] = "{ \"type\": \"string\" }";

	switch (row->kind) {
	case CONFIG_INT:
		fprintf(out,
			"{ \"anyOf\": [ { \"type\": \"integer\", \"minimum\": %" PRIu64
			", \"maximum\": %" PRIu64 " }%s ] }",
			row->off ? 0 : row->min, row->max,
			row->off ? ", { \"enum\": [ false, \"off\", \"no\" ] }" : "");
		break;
	case CONFIG_DURATION:
		fprintf(out,
			"{ \"anyOf\": [ { \"type\": \"integer\", \"minimum\": %" PRIu64
			", \"maximum\": %" PRIu64 " }, { \"type\": \"string\", \"pattern\": "
			"\"^([0-9]+|([0-9]+[smhdwSMHDW])+%s%s)$\" }%s ] }",
			row->off ? 0 : row->min, row->max, row->off ? "|off|no" : "",
			row->forever ? "|infinite" : "", row->off ? ", { \"const\": false }" : "");
		break;
	case CONFIG_WORD:
		/* A word that an editor takes for a truth value. */
		json_words(out, row->words,
			strcmp(row->words[0], "either") == 0 ? "true, false, " : "");
		break;
	case CONFIG_ARCH:
		fputs("{ \"anyOf\": [ { \"type\": \"integer\", \"minimum\": 0, \"maximum\": 65535 "
		      "}, ",
			out);
		json_words(out, row->words, "");
		fputs(" ] }", out);
		break;
	case CONFIG_PTR:
		fputs("{ \"type\": [ \"boolean\", \"string\" ] }", out);
		break;
	case CONFIG_TEXT:
		/* What looks like a number is text to us. */
		fputs("{ \"type\": [ \"string\", \"number\", \"boolean\" ] }", out);
		break;
	case CONFIG_BYTES:
		fputs("{ \"type\": [ \"string\", \"number\" ] }", out);
		break;
	default:
		fputs(config_kind_get(row->kind)->schema ? config_kind_get(row->kind)->schema
							 : text,
			out);
	}
}

static void schema_list(const struct config_row *row, FILE *out)
{
	fputs("\"anyOf\": [ ", out);
	schema_value(row, out);
	fputs(", { \"type\": \"array\", \"items\": ", out);
	schema_value(row, out);
	fputs(" }", out);
	if (row->kind == CONFIG_RR)
		fputs(", { \"type\": \"object\" }", out);
	if (!row->required)
		fputs(", { \"type\": \"null\" }", out);
	fputs(" ]", out);
}

static void schema_describe(const struct config_row *row, FILE *out)
{
	char text[512];
	const char *preset = row->preset ? row->preset : row->otherwise;

	snprintf(text, sizeof(text), "%s%s%s%s%s", row->help, preset ? " Default: " : "",
		preset ? preset : "", preset ? "." : "", row->later ? " Not built yet." : "");
	fputs("\"description\": ", out);
	json_text(out, text);
}

static void schema_row(const struct config_row *row, FILE *out)
{
	fputs("        ", out);
	json_text(out, row->key);
	fputs(": { ", out);
	schema_describe(row, out);
	fputs(", ", out);
	if (row->kind == CONFIG_SECTION) {
		fprintf(out,
			"\"anyOf\": [ { \"$ref\": \"#/definitions/%s\" }, { \"type\": \"null\" } ]",
			row->section->id);
	} else if (row->kind == CONFIG_MAP) {
		fprintf(out,
			"\"type\": [ \"object\", \"null\" ], \"additionalProperties\": { \"$ref\": "
			"\"#/definitions/%s\" }",
			row->section->id);
	} else if (row->kind == CONFIG_OPTIONS) {
		fputs("\"$ref\": \"#/definitions/option\"", out);
	} else if (row->list) {
		schema_list(row, out);
	} else {
		fputs("\"allOf\": [ ", out);
		schema_value(row, out);
		fputs(" ]", out);
	}
	fputs(" }", out);
}

static void schema_required(const struct config_section *s, FILE *out)
{
	bool any = false;

	for (size_t i = 0; i < s->n_rows; i++) {
		if (!s->rows[i].required)
			continue;
		fputs(any ? ", " : ",\n      \"required\": [ ", out);
		json_text(out, s->rows[i].key);
		any = true;
	}
	fputs(any ? " ]" : "", out);
}

/* What is inside the braces of a section's schema. */
static void schema_body(const struct config_section *s, FILE *out)
{
	fprintf(out, "\"type\": %s,\n      \"description\": ",
		s->n_rows && s->rows[0].required ? "\"object\"" : "[ \"object\", \"null\" ]");
	json_text(out, s->help);
	fputs(",\n      \"additionalProperties\": false,\n      \"properties\": {\n", out);
	for (size_t i = 0; i < s->n_rows; i++) {
		schema_row(&s->rows[i], out);
		fputs(i + 1 < s->n_rows ? ",\n" : "\n", out);
	}
	fputs("      }", out);
	schema_required(s, out);
}

static void schema_definitions(struct schema *m, const struct config_section *s)
{
	for (size_t i = 0; i < s->n_rows; i++) {
		const struct config_section *inner = s->rows[i].section;
		bool known = !inner;

		for (size_t j = 0; j < m->n_done && !known; j++)
			known = m->done[j] == inner;
		if (known)
			continue;
		m->done[m->n_done++] = inner;
		fprintf(m->out, "    \"%s\": {\n      ", inner->id);
		schema_body(inner, m->out);
		fputs("\n    },\n", m->out);
		schema_definitions(m, inner);
	}
}

static void schema_options(FILE *out)
{
	size_t n;
	const struct config_option_row *rows = config_options_list(&n);

	fputs("    \"option\": {\n      \"type\": [ \"object\", \"null\" ],\n"
	      "      \"description\": \"DHCP options by name or number.\",\n"
	      "      \"patternProperties\": { \"^[0-9]{1,3}$\": {} },\n"
	      "      \"additionalProperties\": false,\n      \"properties\": {\n",
		out);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < CONFIG_OPTION_NAMES_MAX && rows[i].name[j]; j++)
			fprintf(out, "%s        \"%s\": { \"description\": \"Option %u: %s.\" }",
				i || j ? ",\n" : "", rows[i].name[j], rows[i].code,
				config_options_type_text(rows[i].type));
	}
	fputs("\n      }\n    }\n", out);
}

void config_text_schema(FILE *out)
{
	struct schema m = {.out = out};

	fputs("{\n  \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n"
	      "  \"$comment\": \"SPDX-License-Identifier: Apache-2.0. Made by lanthornd "
	      "--dump-schema "
	      "from daemon/config_schema.c; do not edit.\",\n"
	      "  \"title\": \"lanthorn.yaml\",\n      ",
		out);
	schema_body(&config_schema, out);
	fputs(",\n  \"definitions\": {\n", out);
	schema_definitions(&m, &config_schema);
	schema_options(out);
	fputs("  }\n}\n", out);
}
