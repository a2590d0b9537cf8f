/* SPDX-License-Identifier: Apache-2.0 */
#include "net/privs.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "net/privs_parts.h"

enum { PRIVS_NAME_BUFFER = 16384 };

/* ---- users ---- */

static bool privs_read_number(const char *text, uid_t *out)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || *end || end == text || number >= UINT32_MAX)
		return false;
	*out = (uid_t)number;
	return true;
}

/* A number needs no entry in the user database; its group is then the same number. */
int privs_find_user(const char *user, uid_t *out_uid, gid_t *out_gid)
{
	static const size_t LEN = PRIVS_NAME_BUFFER;
	char buffer[PRIVS_NAME_BUFFER];
	struct passwd entry, *found = NULL;
	uid_t number;
	bool is_number = privs_read_number(user, &number);
	int rc;

	rc = is_number ? getpwuid_r(number, &entry, buffer, LEN, &found)
		       : getpwnam_r(user, &entry, buffer, LEN, &found);
	if (rc == 0 && found) {
		*out_uid = found->pw_uid;
		*out_gid = found->pw_gid;
		return 0;
	}
	if (!is_number)
		return ERR_ABSENT;
	*out_uid = number;
	*out_gid = (gid_t)number;
	return 0;
}

/* Of the two capabilities those that we have: asking for more would fail as a whole (containers
 * often come without CAP_NET_RAW). Tells whether the bounding set can be emptied too; libcap-ng
 * knows nothing of what we had once they are chosen. */
static bool privs_choose_caps(void)
{
	static const unsigned KEPT[] = {CAP_NET_BIND_SERVICE, CAP_NET_RAW};
	bool has[2], can_bound;

	capng_get_caps_process();
	can_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	for (size_t i = 0; i < 2; i++)
		has[i] = capng_have_capability(CAPNG_PERMITTED, KEPT[i]);
	capng_clear(CAPNG_SELECT_BOTH);
	for (size_t i = 0; i < 2; i++)
		if (has[i])
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, KEPT[i]);
	return can_bound;
}

/* Negative as libcap-ng says it. */
static int privs_become(uid_t uid, gid_t gid, bool can_bound)
{
	if (geteuid() == uid && getegid() == gid)
		return capng_apply(CAPNG_SELECT_CAPS);
	/* Without CAP_SETPCAP the bounding set stays; no_new_privs makes it void. */
	if (can_bound) {
		int rc = capng_change_id(
			(int)uid, (int)gid, CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);

		if (rc == 0 || geteuid() == uid)
			return rc;
	}
	return capng_change_id((int)uid, (int)gid, CAPNG_DROP_SUPP_GRP);
}

static int privs_change_user(const char *user, struct privs_report *out)
{
	uid_t uid;
	gid_t gid;
	int rc;

	if (privs_find_user(user, &uid, &gid) < 0) {
		snprintf(out->user_error, sizeof(out->user_error), "there is no user \"%.64s\"",
			user);
		return ERR_ABSENT;
	}
	if (uid == 0)
		return 0; /* root stays root with all it has: the same as "none" */
	rc = privs_become(uid, gid, privs_choose_caps());
	if (rc < 0 || geteuid() != uid || getegid() != gid) {
		snprintf(out->user_error, sizeof(out->user_error),
			"cannot become user \"%.64s\" (uid %u): step %d of libcap-ng failed", user,
			uid, rc);
		return ERR_DENIED;
	}
	out->user_changed = true;
	return 0;
}

/* ---- limits ---- */

size_t privs_raise_files(size_t want)
{
	struct rlimit limit, raised;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	if (limit.rlim_cur >= want)
		return limit.rlim_cur;
	raised = limit;
	raised.rlim_cur = want;
	if (raised.rlim_max < want)
		raised.rlim_max = want; /* root may, up to fs.nr_open */
	if (setrlimit(RLIMIT_NOFILE, &raised) < 0) {
		raised = limit;
		raised.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
		if (setrlimit(RLIMIT_NOFILE, &raised) < 0)
			return limit.rlim_cur;
	}
	return raised.rlim_cur;
}

/* ---- all of it ---- */

static int privs_no_new(struct privs_report *out)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		snprintf(out->filter_error, sizeof(out->filter_error), "no_new_privs: %s",
			strerror(errno));
		return ERR_DENIED;
	}
	out->no_new_privs = true;
	return 0;
}

static void privs_keep_first(int *first, int err)
{
	if (*first == 0)
		*first = err;
}

int privs_lock_down(const struct privs_conf *conf, struct privs_report *out)
{
	int first = 0;

	*out = (struct privs_report){0};
	if (conf->user && strcmp(conf->user, "none") != 0)
		privs_keep_first(&first, privs_change_user(conf->user, out));
#if PRIVS_SANITIZED
	/* Changing the user cleared it, and LeakSanitizer's tracer needs it. */
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
#endif
	if (conf->sandbox || out->user_changed)
		privs_keep_first(&first, privs_no_new(out));
	if (conf->sandbox) {
		privs_keep_first(&first, privs_landlock(conf, out));
		privs_keep_first(&first, privs_filter(out));
	}
	out->uid = geteuid();
	out->gid = getegid();
	return first;
}
