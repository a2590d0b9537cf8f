/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A configuration's errors and warnings, into the log. */
#include "daemon/config_report.h"

void report_log(const struct config_report *rep);
