/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/options.h"

#include <getopt.h>
#include <stdio.h>

#include "daemon/config.h"

static const char OPTIONS_HELP[] =
	"usage: lanthornd [-c FILE] [-f]\n"
	"       lanthornd [-c FILE] --check\n"
	"\n"
	"Names, addresses and boot files for a LAN, in one daemon.\n"
	"\n"
	"  -c, --config FILE  read FILE instead of " CONFIG_PATH_DEFAULT "\n"
	"  -f, --foreground   log to stderr (otherwise to syslog, unless log.to says)\n"
	"      --check        read the configuration, print every error, exit 0 or 1\n"
	"      --dump-config  print the configuration in effect with all defaults\n"
	"  -V, --version      print the version\n"
	"  -h, --help         print this\n"
	"\n"
	"lanthornd(8) and lanthorn.yaml(5) tell more; lanthorn(1) talks to the running daemon.\n";

enum { OPTION_CHECK = 256, OPTION_DUMP_MAN, OPTION_DUMP_SCHEMA, OPTION_DUMP_CONFIG };

static const struct option OPTIONS_LONG[] = {
	{"config", required_argument, NULL, 'c'},
	{"foreground", no_argument, NULL, 'f'},
	{"check", no_argument, NULL, OPTION_CHECK},
	{"dump-man", no_argument, NULL, OPTION_DUMP_MAN},
	{"dump-schema", no_argument, NULL, OPTION_DUMP_SCHEMA},
	{"dump-config", no_argument, NULL, OPTION_DUMP_CONFIG},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void options_exit(struct options *out, int code)
{
	out->action = OPTIONS_EXIT;
	out->exit_code = code;
}

static void options_apply(int opt, struct options *out)
{
	switch (opt) {
	case 'c':
		out->config_path = optarg;
		out->is_config_given = true;
		break;
	case 'f':
		out->is_foreground = true;
		break;
	case OPTION_CHECK:
		out->action = OPTIONS_CHECK;
		break;
	case OPTION_DUMP_MAN:
		out->action = OPTIONS_DUMP_MAN;
		break;
	case OPTION_DUMP_SCHEMA:
		out->action = OPTIONS_DUMP_SCHEMA;
		break;
	case OPTION_DUMP_CONFIG:
		out->action = OPTIONS_DUMP_CONFIG;
		break;
	case 'V':
		puts("lanthornd " LANTHORN_VERSION);
		options_exit(out, 0);
		break;
	case 'h':
		fputs(OPTIONS_HELP, stdout);
		options_exit(out, 0);
		break;
	default: /* getopt has said what was wrong */
		fputs("Try `lanthornd --help`.\n", stderr);
		options_exit(out, 2);
		break;
	}
}

void options_read(int argc, char **argv, struct options *out)
{
	int opt;

	*out = (struct options){.action = OPTIONS_RUN, .config_path = CONFIG_PATH_DEFAULT};
	while (out->action != OPTIONS_EXIT &&
		(opt = getopt_long(argc, argv, "c:fhV", OPTIONS_LONG, NULL)) != -1)
		options_apply(opt, out);
	if (out->action != OPTIONS_EXIT && optind < argc) {
		fprintf(stderr, "lanthornd: unexpected argument \"%s\"\nTry `lanthornd --help`.\n",
			argv[optind]);
		options_exit(out, 2);
	}
}
