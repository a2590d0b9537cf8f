/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The list of scenarios that are expected to fail, each with its reason: "set/name reason". */

struct rpl_expected;
/* NULL path: an empty list. A list that cannot be read ends the program with exit code 2. */
struct rpl_expected *rpl_expected_read(const char *path);
void rpl_expected_free(struct rpl_expected *e);
/* The reason why the scenario at path (.../set/name.rpl) may fail; NULL: it may not. */
const char *rpl_expected_get(const struct rpl_expected *e, const char *path);
