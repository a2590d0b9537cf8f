/* SPDX-License-Identifier: Apache-2.0 */
/* lanthorn.yaml(5) from the option table. */
#include <string.h>

#include "base/xalloc.h"
#include "daemon/config_kind.h"
#include "daemon/config_options.h"
#include "daemon/config_text.h"

enum { MAN_SECTIONS_MAX = 32 };

struct man {
	FILE *out;
	const struct config_section *done[MAN_SECTIONS_MAX];
	size_t n_done;
};

enum { MAN_WIDTH = 78 };

/* Filled text: each sentence on lines of its own, as mdoc wants it, and nothing in it that looks
 * like a request or an escape. */
static void man_text(FILE *out, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t len = strcspn(text, " ");
		bool ends =
			strchr(".?:", text[len ? len - 1 : 0]) && text[len] && text[len - 1] != ':';

		if (column && column + 1 + len > MAN_WIDTH)
			column = 0, fputc('\n', out);
		if (column)
			column++, fputc(' ', out);
		if (column == 0 && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		for (size_t i = 0; i < len; i++)
			fprintf(out, text[i] == '\\' ? "\\e" : "%c", text[i]);
		column += len;
		text += len + strspn(text + len, " ");
		if (ends)
			column = 0, fputc('\n', out);
	}
	fputs(column ? "\n" : "", out);
}

/* A word as the argument of a macro. */
static void man_word(FILE *out, const char *text)
{
	fputs("\"\\&", out);
	for (; *text; text++) {
		if (*text == '"')
			fputs("\\(dq", out);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static void man_range(const struct config_row *row, FILE *out)
{
	struct config_row plain = *row;
	char *min, *max;
	uint32_t n;

	plain.off = plain.forever = false;
	if (row->kind != CONFIG_INT && row->kind != CONFIG_DURATION && row->kind != CONFIG_SIZE)
		return;
	if (row->kind == CONFIG_SIZE) {
		min = config_kind_text(&plain, &row->min);
		max = config_kind_text(&plain, &row->max);
	} else {
		n = (uint32_t)row->min;
		min = config_kind_text(&plain, &n);
		n = (uint32_t)row->max;
		max = config_kind_text(&plain, &n);
	}
	fprintf(out, "From %s to %s%s%s.\n", min, max, row->off ? ", or off" : "",
		row->forever ? ", or infinite" : "");
	xfree(min);
	xfree(max);
}

static const char *man_arg(const struct config_row *row)
{
	return row->kind == CONFIG_MAP	     ? "NAME: { ... }"
	       : row->kind == CONFIG_SECTION ? "{ ... }"
					     : config_kind_get(row->kind)->arg;
}

static void man_row(const struct config_row *row, FILE *out)
{
	fprintf(out, ".It Ic %s : ", row->key);
	if (row->kind == CONFIG_WORD) {
		for (size_t i = 0; row->words[i]; i++)
			fprintf(out, "%sCm %s", i ? " | " : "", row->words[i]);
	} else {
		fputs("Ar ", out);
		man_word(out, man_arg(row));
		fputs(row->list ? " ..." : "", out);
	}
	if (row->preset || row->otherwise) {
		fputs(" Pq ", out);
		man_word(out, row->preset ? row->preset : row->otherwise);
	}
	fputc('\n', out);
	man_text(out, row->help);
	man_range(row, out);
	if (row->required)
		fputs("Required.\n", out);
	if (row->effect == CONFIG_RESTART)
		fputs("A change takes effect at the next start.\n", out);
	if (row->later)
		fputs(".Em Not built yet :\nit is checked, and does nothing.\n", out);
}

static void man_title(const char *title, FILE *out)
{
	fputs(".Ss ", out);
	man_word(out, *title ? title : "Top of the file");
	fputc('\n', out);
}

static void man_section(struct man *m, const struct config_section *s)
{
	for (size_t i = 0; i < m->n_done; i++)
		if (m->done[i] == s)
			return;
	m->done[m->n_done++] = s;
	man_title(s->title, m->out);
	man_text(m->out, s->help);
	fprintf(m->out, ".Bd -literal -offset indent\n");
	fprintf(m->out, "%s\n.Ed\n.Bl -tag -width Ds\n", s->sample);
	for (size_t i = 0; i < s->n_rows; i++)
		man_row(&s->rows[i], m->out);
	fputs(".El\n", m->out);
	for (size_t i = 0; i < s->n_rows; i++)
		if (s->rows[i].section)
			man_section(m, s->rows[i].section);
}

/* clang-format off */
static const char OPTIONS_HEAD[] =
	".Sh OPTIONS\n"
	"The map\n"
	".Ic option\n"
	"of a lan, class or device sets DHCPv4 options,\n"
	"by number (1 to 254) or by one of these names:\n"
	".Bl -column \"255\" \"pairs of IPv4 addresses\" \"names\"\n";

static const char OPTIONS_TAIL[] =
	".El\n"
	".Pp\n"
	"A list gives several values.\n"
	"An empty list, [], keeps an option from being sent that would be by default.\n"
	"A value may say its type itself, and must where the option is not in the table:\n"
	".Bd -literal -offset indent\n"
	"option:\n"
	"  ntp-servers: [ 192.168.1.1, 192.168.1.2 ]\n"
	"  static-routes: [ \"10.0.0.0/8 via 192.168.1.2\", \"default via 192.168.1.1\" ]\n"
	"  224: text:hello\n"
	"  225: [ u8:1, u16:1500, u32:70000, ip:10.0.0.1, hex:00ff ]\n"
	"  wpad-url: { value: \"http://wpad.home.arpa/wpad.dat\", force: yes }\n"
	".Ed\n"
	".Pp\n"
	"With\n"
	".Ic force\n"
	"the option is sent also to clients that do not ask for it.\n";

static const char HEAD[] =
	".\\\" SPDX-License-Identifier: Apache-2.0\n"
	".\\\" Made by lanthornd --dump-man from daemon/config_schema.c; do not edit.\n"
	".Dd November 20, 2026\n"
	".Dt LANTHORN.YAML 5\n"
	".Os\n"
	".Sh NAME\n"
	".Nm lanthorn.yaml\n"
	".Nd configuration of lanthornd\n"
	".Sh DESCRIPTION\n"
	".Pa /etc/lanthorn/lanthorn.yaml\n"
	"configures\n"
	".Xr lanthornd 8 .\n"
	"Without it the daemon is a validating resolver on loopback.\n"
	"The file is never rewritten by the daemon.\n"
	"A change is taken over by\n"
	".Ql lanthorn reload\n"
	"or SIGHUP, keeping the cache, the leases and every socket.\n"
	"A file with an error is refused as a whole and what ran before goes on;\n"
	"at a start the last good configuration is used.\n"
	"All errors are told at once, with file, line and column:\n"
	".Ql lanthornd --check -c FILE .\n"
	".Pp\n"
	"It is YAML.\n"
	"Where a list is expected a single value will do.\n"
	"Durations take s, m, h, d and w\n"
	".Pq 12h , 1h30m ,\n"
	"sizes K, M and G\n"
	".Pq 128M ;\n"
	"a bare number is seconds or bytes.\n"
	"Relative paths start at the folder of the main file.\n"
	"Text that begins with one of * & ! % @ or holds \": \" must be quoted,\n"
	"and in [ ] also an address that begins with a colon.\n"
	"Anchors and aliases, and the merge key <<, save repetition.\n"
	".Pp\n"
	"An editor with a YAML language server completes and checks the file\n"
	"when its first line is\n"
	".Bd -literal -offset indent\n"
	"# yaml-language-server: $schema=/usr/share/lanthorn/lanthorn.schema.json\n"
	".Ed\n"
	".Sh KEYS\n"
	"In parentheses stands what holds when a key is not given.\n";

static const char TAIL[] =
	".Sh FILES\n"
	".Bl -tag -width Ds\n"
	".It Pa /etc/lanthorn/lanthorn.yaml\n"
	"The configuration.\n"
	".It Pa /usr/share/lanthorn/lanthorn.schema.json\n"
	"Its JSON Schema.\n"
	".El\n"
	".Sh EXAMPLES\n"
	"A house:\n"
	".Bd -literal -offset indent\n"
	"domain: home.arpa\n"
	"lan:\n"
	"  br0:\n"
	"    subnet: 192.168.1.0/24\n"
	"    pool: 192.168.1.100-192.168.1.199\n"
	"    router: 192.168.1.1\n"
	"    device:\n"
	"      nas: { mac: \"00:11:22:33:44:55\", address: 192.168.1.10 }\n"
	"    boot: { bios: pxelinux.0, uefi: shimx64.efi }\n"
	"boot: { root: /srv/boot }\n"
	".Ed\n"
	".Sh SEE ALSO\n"
	".Xr lanthorn 1 ,\n"
	".Xr lanthornd 8\n";
/* clang-format on */

static void man_options(FILE *out)
{
	size_t n;
	const struct config_option_row *rows = config_options_list(&n);

	fputs(OPTIONS_HEAD, out);
	for (size_t i = 0; i < n; i++) {
		fprintf(out, ".It %u Ta %s Ta", rows[i].code,
			config_options_type_text(rows[i].type));
		for (size_t j = 0; j < CONFIG_OPTION_NAMES_MAX && rows[i].name[j]; j++)
			fprintf(out, "%s %s", j ? "," : "", rows[i].name[j]);
		fputc('\n', out);
	}
	fputs(OPTIONS_TAIL, out);
}

void config_text_man(FILE *out)
{
	struct man m = {.out = out};

	fputs(HEAD, out);
	man_section(&m, &config_schema);
	man_options(out);
	fputs(TAIL, out);
}
