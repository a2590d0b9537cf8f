/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/report.h"

#include "base/log.h"
#include "base/xalloc.h"

void report_log(const struct config_report *rep)
{
	for (size_t i = 0; i < rep->n; i++) {
		char *text = config_report_format(&rep->list[i]);

		if (rep->list[i].level == CONFIG_ERROR)
			log_error(DAEMON_CONFIG_ERROR, "%s", text);
		else
			log_warn(DAEMON_CONFIG_WARNING, "%s", text);
		xfree(text);
	}
}
