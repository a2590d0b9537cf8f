/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stddef.h>

const char *err_text(int err)
{
	switch (err) {
	case 0:
		return "no error";
#define ERR_TEXT(name, value, text)                                                                \
	case name:                                                                                 \
		return text;
		ERR_LIST(ERR_TEXT)
#undef ERR_TEXT
	default:
		return "unknown error";
	}
}

static const struct {
	int errnum, err;
} ERRNO_MAP[] = {
	{EPERM, ERR_DENIED},
	{EACCES, ERR_DENIED},
	{EROFS, ERR_DENIED},
	{ENOENT, ERR_ABSENT},
	{ENODEV, ERR_ABSENT},
	{ENXIO, ERR_ABSENT},
	{ENOTDIR, ERR_ABSENT},
	{EADDRNOTAVAIL, ERR_ABSENT},
	{EEXIST, ERR_EXISTS},
	{EBUSY, ERR_BUSY},
	{EADDRINUSE, ERR_BUSY},
	{ETXTBSY, ERR_BUSY},
	{ENOSPC, ERR_FULL},
	{EDQUOT, ERR_FULL},
	{EFBIG, ERR_FULL},
	{EMFILE, ERR_LIMIT},
	{ENFILE, ERR_LIMIT},
	{ENOMEM, ERR_LIMIT},
	{ENOBUFS, ERR_LIMIT},
	{ELOOP, ERR_LIMIT},
	{EAGAIN, ERR_AGAIN},
	{EINTR, ERR_AGAIN},
	{EINPROGRESS, ERR_AGAIN},
	{EALREADY, ERR_AGAIN},
	{ETIMEDOUT, ERR_TIMEOUT},
	{EPIPE, ERR_CLOSED},
	{ECONNRESET, ERR_CLOSED},
	{ECONNABORTED, ERR_CLOSED},
	{ENOTCONN, ERR_CLOSED},
	{ECONNREFUSED, ERR_UNREACHABLE},
	{EHOSTUNREACH, ERR_UNREACHABLE},
	{EHOSTDOWN, ERR_UNREACHABLE},
	{ENETUNREACH, ERR_UNREACHABLE},
	{ENETDOWN, ERR_UNREACHABLE},
	{EOPNOTSUPP, ERR_UNSUPPORTED},
	{ENOSYS, ERR_UNSUPPORTED},
	{EAFNOSUPPORT, ERR_UNSUPPORTED},
	{EPROTONOSUPPORT, ERR_UNSUPPORTED},
	{ENOPROTOOPT, ERR_UNSUPPORTED},
	{ERANGE, ERR_RANGE},
	{EDOM, ERR_RANGE},
	{EOVERFLOW, ERR_RANGE},
	{EMSGSIZE, ERR_SPACE},
	{ENAMETOOLONG, ERR_SPACE},
};

int err_from_errno(int errnum)
{
	if (errnum == 0)
		return 0;
	for (size_t i = 0; i < sizeof(ERRNO_MAP) / sizeof(ERRNO_MAP[0]); i++)
		if (ERRNO_MAP[i].errnum == errnum)
			return ERRNO_MAP[i].err;
	return ERR_IO;
}
