/* SPDX-License-Identifier: Apache-2.0 */
/* The one mutable global of the house is here: where lines go. It is set in main before threads
 * start; a reopen swaps the file under the same descriptor number, so writers need no lock. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/loglimit.h"
#include "base/xalloc.h"

/* Longest line with its prefix; the rest is cut and marked. Below PIPE_BUF, so that the lines of
 * two threads never mix. */
enum { LOG_LINE_LEN = 2048 };

enum log_target { LOG_TO_STDERR, LOG_TO_JOURNAL, LOG_TO_SYSLOG, LOG_TO_FILE };

static struct {
	enum log_target target;
	int level; /* atomic */
	int fd;
	char *path; /* LOG_TO_FILE */
	struct loglimit limits[LOG_ID_COUNT];
} log_state = {.target = LOG_TO_STDERR, .level = LOG_LEVEL_WARN, .fd = STDERR_FILENO};

static const struct {
	const char *name;
	int priority; /* of syslog(3) */
} LOG_LEVELS[] = {
	[LOG_LEVEL_ERROR] = {"error", LOG_ERR},
	[LOG_LEVEL_WARN] = {"warning", LOG_WARNING},
	[LOG_LEVEL_INFO] = {"info", LOG_INFO},
	[LOG_LEVEL_DEBUG] = {"debug", LOG_DEBUG},
};

const char *log_id_name(enum log_id id)
{
	static const char *const names[] = {
#define LOG_ID_NAME(name) #name,
		LOG_ID_LIST(LOG_ID_NAME)
#undef LOG_ID_NAME
	};

	return (unsigned)id < LOG_ID_COUNT ? names[id] : "UNKNOWN";
}

/* Is stderr the journal's socket (systemd.exec(5), JOURNAL_STREAM=device:inode)? */
static bool log_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

static int log_open_file(const char *path, int *out_fd)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);

	if (fd < 0)
		return err_from_errno(errno);
	*out_fd = fd;
	return 0;
}

int log_open(const char *to, enum log_level level)
{
	int fd = STDERR_FILENO;
	enum log_target target;

	if (strcmp(to, "stderr") == 0) {
		target = log_is_journal() ? LOG_TO_JOURNAL : LOG_TO_STDERR;
	} else if (strcmp(to, "syslog") == 0) {
		target = LOG_TO_SYSLOG;
	} else {
		int err = log_open_file(to, &fd);

		if (err < 0)
			return err;
		target = LOG_TO_FILE;
	}
	log_close();
	if (target == LOG_TO_SYSLOG)
		openlog("lanthornd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	if (target == LOG_TO_FILE)
		log_state.path = xstrdup(to);
	log_state.fd = fd;
	log_state.target = target;
	__atomic_store_n(&log_state.level, (int)level, __ATOMIC_RELAXED);
	return 0;
}

int log_reopen(void)
{
	int fd = -1, err;

	if (log_state.target != LOG_TO_FILE)
		return 0;
	err = log_open_file(log_state.path, &fd);
	if (err < 0)
		return err; /* go on with the old file */
	if (dup3(fd, log_state.fd, O_CLOEXEC) < 0)
		err = err_from_errno(errno);
	close(fd);
	return err;
}

static void log_tell_dropped(enum log_level level, enum log_id id, uint32_t n_dropped)
{
	if (n_dropped)
		log_write(level, id, "%u more lines like this were left out", n_dropped);
}

void log_close(void)
{
	for (int id = 0; id < LOG_ID_COUNT; id++)
		log_tell_dropped(LOG_LEVEL_WARN, (enum log_id)id,
			loglimit_flush(&log_state.limits[id], LOG_LIMIT_PER_MIN));
	if (log_state.target == LOG_TO_SYSLOG)
		closelog();
	if (log_state.target == LOG_TO_FILE)
		close(log_state.fd);
	xfree(log_state.path);
	log_state.path = NULL;
	log_state.target = LOG_TO_STDERR;
	log_state.fd = STDERR_FILENO;
	__atomic_store_n(&log_state.level, (int)LOG_LEVEL_WARN, __ATOMIC_RELAXED);
}

bool log_is_on(enum log_level level)
{
	return (int)level <= __atomic_load_n(&log_state.level, __ATOMIC_RELAXED);
}

/* What stands before the text. Returns its length. */
static int log_prefix(enum log_level level, enum log_id id, char *buf, size_t cap)
{
	int64_t now_ms;
	struct tm tm;
	time_t now_s;
	char date[32];

	if (log_state.target == LOG_TO_SYSLOG)
		return snprintf(buf, cap, "%s ", log_id_name(id));
	if (log_state.target == LOG_TO_JOURNAL)
		return snprintf(buf, cap, "<%d>%s ", LOG_LEVELS[level].priority, log_id_name(id));
	now_ms = clock_wall_ms();
	now_s = (time_t)(now_ms / 1000);
	gmtime_r(&now_s, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	return snprintf(buf, cap, "%s.%03dZ %s %s ", date, (int)(now_ms % 1000),
		LOG_LEVELS[level].name, log_id_name(id));
}

/* A line is one line and no terminal command, whatever came in; callers escape what strangers
 * sent, this is the second lock on the door. */
static void log_clean(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = '?';
}

PRINTF_LIKE(3, 0)
static void log_emit(enum log_level level, enum log_id id, const char *fmt, va_list args)
{
	char line[LOG_LINE_LEN];
	size_t cap = sizeof(line) - 1; /* room for the newline */
	size_t at = (size_t)log_prefix(level, id, line, cap);
	size_t len;
	int n = vsnprintf(line + at, cap - at, fmt, args);
	ssize_t written;

	len = n < 0 ? at : at + (size_t)n;
	if (len >= cap) {
		len = cap - 1;
		memcpy(line + len - 3, "...", 3);
	}
	log_clean(line, len);
	if (log_state.target == LOG_TO_SYSLOG) {
		line[len] = '\0';
		syslog(LOG_LEVELS[level].priority, "%s", line);
		return;
	}
	line[len++] = '\n';
	/* A full disk or a closed pipe must not stop the service, and there is nobody to tell. */
	written = write(log_state.fd, line, len);
	(void)written;
}

void log_write(enum log_level level, enum log_id id, const char *fmt, ...)
{
	int saved_errno = errno;
	va_list args;

	if (!log_is_on(level))
		return;
	va_start(args, fmt);
	log_emit(level, id, fmt, args);
	va_end(args);
	errno = saved_errno;
}

void log_limited(enum log_level level, enum log_id id, const char *fmt, ...)
{
	int saved_errno = errno;
	enum loglimit_verdict verdict;
	uint32_t n_dropped;
	va_list args;

	if (!log_is_on(level) || (unsigned)id >= LOG_ID_COUNT)
		return;
	verdict = loglimit_admit(
		&log_state.limits[id], clock_mono_ms(), LOG_LIMIT_PER_MIN, &n_dropped);
	log_tell_dropped(level, id, n_dropped);
	if (verdict != LOGLIMIT_DROP) {
		va_start(args, fmt);
		log_emit(level, id, fmt, args);
		va_end(args);
	}
	if (verdict == LOGLIMIT_LAST)
		log_write(level, id, "more lines like this are left out for a minute");
	errno = saved_errno;
}
