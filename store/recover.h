/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What to do about a damaged data file, at start and before anybody uses it. Nothing is thrown
 * away: a damaged file is kept under another name, a damaged record in the table `damaged`. The
 * price of reading every page that is left, of whatever age, is that a record deleted lately may
 * come back: a lease that is held too long does less harm than one that is given out twice. Inside
 * store/ only. */
#include "base/err.h"
#include "store/check.h"
#include "store/store.h"

/* Builds a new data file from all good records of the file open as fd (-1: there is none) and the
 * newest good snapshot, and puts it in the place of the old one. ERR_VERSION: a newer Lanthorn's
 * records turned up; nothing is changed. Fills found, aside, snapshot and the numbers. */
MUST_CHECK int recover_rebuild(struct store *s, int fd, struct store_report *report);

/* The environment is open: moves the records that check found bad aside and brings in from the
 * newest good snapshot what is missing. */
MUST_CHECK int recover_patch(
	struct store *s, const struct check *check, struct store_report *report);
