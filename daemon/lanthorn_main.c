/* SPDX-License-Identifier: Apache-2.0 */
/* The command `lanthorn`: asks the running daemon, or the store itself where no daemon runs. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "daemon/cli.h"
#include "daemon/config.h"

static const char MAIN_HELP[] =
	"usage: lanthorn [--state-dir DIR] [--json] VERB [ARGUMENT...]\n"
	"\n"
	"  status                        how the daemon is\n"
	"  leases [--all] [--at TIME]    who holds which address\n"
	"  devices                       devices of the configuration and their leases\n"
	"  lookup NAME [TYPE]            resolve as a client of the daemon would\n"
	"  explain NAME [TYPE]           the same, layer by layer\n"
	"  why NAME                      who holds a local name and where it comes from\n"
	"  cache flush [NAME]            forget everything, or NAME and all below it\n"
	"  cache dump                    what the cache holds\n"
	"  boot DEVICE --once FILE       boot FILE at the next start of DEVICE only\n"
	"  reload                        read the configuration again\n"
	"  check [FILE]                  read a configuration and print every error\n"
	"  metrics                       all counters, in Prometheus' text form\n"
	"  import dnsmasq-leases FILE    take the leases of a dnsmasq over\n"
	"  import dnsmasq FILE           turn a dnsmasq.conf into a lanthorn.yaml\n"
	"\n"
	"  --state-dir DIR   where the daemon keeps its state (" CLI_STATE_DIR ", or what\n"
	"                    state-dir in " CONFIG_PATH_DEFAULT " says)\n"
	"  --json            print JSON\n"
	"\n"
	"Exit: 0 yes, 1 the answer is no, 2 wrong use, 3 the daemon cannot be reached. See "
	"lanthorn(1).\n";

struct main_verb {
	const char *name, *sub; /* sub: second word, or NULL */
	int min_args, max_args; /* behind both */
	int (*run)(const struct cli *c);
};

static int main_status(const struct cli *c)
{
	return cli_run(c, "status", cli_print_status);
}

static int main_leases(const struct cli *c)
{
	json_t *reply;

	if (cli_ask(c, "status", &reply, true) != CLI_OK)
		return cli_leases_offline(c); /* a stale socket counts as no daemon */
	json_decref(reply);
	return cli_run(c, "leases", cli_print_leases);
}

static int main_devices(const struct cli *c)
{
	return cli_run(c, "devices", cli_print_leases);
}

static int main_lookup(const struct cli *c)
{
	return cli_run(c, "lookup", cli_print_text);
}

static int main_explain(const struct cli *c)
{
	return cli_run(c, "explain", cli_print_text);
}

static int main_why(const struct cli *c)
{
	return cli_run(c, "why", cli_print_text);
}

static int main_flush(const struct cli *c)
{
	return cli_run(c, "cache-flush", cli_print_text);
}

static int main_dump(const struct cli *c)
{
	return cli_run(c, "cache-dump", cli_print_text);
}

static int main_boot(const struct cli *c)
{
	return cli_run(c, "boot-once", cli_print_text);
}

static int main_reload(const struct cli *c)
{
	return cli_run(c, "reload", cli_print_report);
}

static int main_check(const struct cli *c)
{
	return cli_check(c, c->n_args ? c->args[0] : CONFIG_PATH_DEFAULT);
}

static int main_metrics(const struct cli *c)
{
	return cli_run(c, "metrics", cli_print_text);
}

static int main_import_leases(const struct cli *c)
{
	return cli_import_leases(c, c->args[0]);
}

static int main_import_dnsmasq(const struct cli *c)
{
	return cli_import_dnsmasq(c, c->args[0]);
}

static const struct main_verb MAIN_VERBS[] = {
	{"status", NULL, 0, 0, main_status},
	{"leases", NULL, 0, 0, main_leases},
	{"devices", NULL, 0, 0, main_devices},
	{"lookup", NULL, 1, 2, main_lookup},
	{"explain", NULL, 1, 2, main_explain},
	{"why", NULL, 1, 1, main_why},
	{"cache", "flush", 0, 1, main_flush},
	{"cache", "dump", 0, 0, main_dump},
	{"boot", NULL, 1, 1, main_boot},
	{"reload", NULL, 0, 0, main_reload},
	{"check", NULL, 0, 1, main_check},
	{"metrics", NULL, 0, 0, main_metrics},
	{"import", "dnsmasq-leases", 1, 1, main_import_leases},
	{"import", "dnsmasq", 1, 1, main_import_dnsmasq},
};

enum { MAIN_STATE_DIR = 256, MAIN_JSON, MAIN_ALL, MAIN_AT, MAIN_ONCE };

static const struct option MAIN_LONG[] = {
	{"state-dir", required_argument, NULL, MAIN_STATE_DIR},
	{"json", no_argument, NULL, MAIN_JSON},
	{"all", no_argument, NULL, MAIN_ALL},
	{"at", required_argument, NULL, MAIN_AT},
	{"once", required_argument, NULL, MAIN_ONCE},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int main_usage(const char *complaint, const char *word)
{
	fprintf(stderr, "lanthorn: %s%s%s\nTry `lanthorn --help`.\n", complaint, word ? ": " : "",
		word ? word : "");
	return CLI_USAGE;
}

/* -1: go on; else exit with this. */
static int main_options(int argc, char **argv, struct cli *c)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "hV", MAIN_LONG, NULL)) != -1) {
		switch (opt) {
		case MAIN_STATE_DIR:
			c->state_dir = optarg;
			break;
		case MAIN_JSON:
			c->json = true;
			break;
		case MAIN_ALL:
			c->all = true;
			break;
		case MAIN_AT:
			c->at = optarg;
			break;
		case MAIN_ONCE:
			c->once = optarg;
			break;
		case 'V':
			puts("lanthorn " LANTHORN_VERSION);
			return CLI_OK;
		case 'h':
			fputs(MAIN_HELP, stdout);
			return CLI_OK;
		default:
			fputs("Try `lanthorn --help`.\n", stderr);
			return CLI_USAGE;
		}
	}
	return -1;
}

static const struct main_verb *main_find(char **words, int n)
{
	for (size_t i = 0; i < sizeof(MAIN_VERBS) / sizeof(MAIN_VERBS[0]); i++) {
		const struct main_verb *v = &MAIN_VERBS[i];

		if (strcmp(v->name, words[0]) == 0 &&
			(!v->sub || (n > 1 && strcmp(v->sub, words[1]) == 0)))
			return v;
	}
	return NULL;
}

/* What the configuration of this machine says, when it can be read. */
static const char *main_state_dir(struct config **config)
{
	struct config_report rep = {0};
	const char *dir = CLI_STATE_DIR;

	if (config_load(CONFIG_PATH_DEFAULT, config, &rep) == 0)
		dir = (*config)->state_dir;
	config_report_fini(&rep);
	return dir;
}

int main(int argc, char **argv)
{
	struct config *config = NULL;
	const struct main_verb *verb;
	struct cli c = {0};
	int exit_code = main_options(argc, argv, &c), skip;

	if (exit_code >= 0)
		return exit_code;
	if (optind >= argc) {
		fputs(MAIN_HELP, stderr);
		return CLI_USAGE;
	}
	verb = main_find(argv + optind, argc - optind);
	if (!verb)
		return main_usage("unknown verb", argv[optind]);
	skip = verb->sub ? 2 : 1;
	c.args = argv + optind + skip;
	c.n_args = argc - optind - skip;
	if (c.n_args < verb->min_args)
		return main_usage("too few arguments for", argv[optind]);
	if (c.n_args > verb->max_args)
		return main_usage("too many arguments for", argv[optind]);
	if (!c.state_dir)
		c.state_dir = main_state_dir(&config);
	exit_code = verb->run(&c);
	config_free(config);
	return exit_code;
}
