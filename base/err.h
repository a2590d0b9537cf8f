/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The one error space of the house. A function that can fail returns 0 or one
 * of these negative numbers. Codes of libuv, LMDB, c-ares and errno are turned
 * into these where the library is called (net/, store/) and go no further.
 * An RCODE, "not found" and "blocked" are results, not errors. */

#define MUST_CHECK	       __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#define ERR_LIST(X)                                                                                \
	X(ERR_TRUNC, -1, "input ends before the field does")                                       \
	X(ERR_MALFORMED, -2, "input breaks the rules of its format")                               \
	X(ERR_LIMIT, -3, "a limit of the house is used up")                                        \
	X(ERR_SPACE, -4, "the output buffer is too small")                                         \
	X(ERR_RANGE, -5, "a value is outside its range")                                           \
	X(ERR_EXISTS, -6, "it exists already")                                                     \
	X(ERR_ABSENT, -7, "it does not exist")                                                     \
	X(ERR_DENIED, -8, "permission denied")                                                     \
	X(ERR_IO, -9, "input or output failed")                                                    \
	X(ERR_FULL, -10, "the disk or the map is full")                                            \
	X(ERR_BUSY, -11, "it is in use by another")                                                \
	X(ERR_CLOSED, -12, "the other side has closed")                                            \
	X(ERR_TIMEOUT, -13, "no answer in time")                                                   \
	X(ERR_UNSUPPORTED, -14, "not supported here")                                              \
	X(ERR_CORRUPT, -15, "stored data is damaged")                                              \
	X(ERR_AGAIN, -16, "not now; try again")                                                    \
	X(ERR_UNREACHABLE, -17, "the network or host is unreachable")                              \
	X(ERR_VERSION, -18, "written by another version")                                          \
	X(ERR_INTERNAL, -19, "a library refused what it should accept")

enum err {
#define ERR_ENUM(name, value, text) name = value,
	ERR_LIST(ERR_ENUM)
#undef ERR_ENUM
};

/* Static text for a code of the list; "no error" for 0. */
const char *err_text(int err);

/* Nearest code for a positive errno value; ERR_IO for the unknown. */
int err_from_errno(int errnum);
