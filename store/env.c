/* SPDX-License-Identifier: Apache-2.0 */
#include "store/env.h"

#include <errno.h>

int env_err(int rc)
{
	switch (rc) {
	case 0:
		return 0;
	case MDB_NOTFOUND:
		return ERR_ABSENT;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ERR_FULL;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
		return ERR_CORRUPT;
	case MDB_VERSION_MISMATCH:
		return ERR_VERSION;
	case MDB_READERS_FULL:
		return ERR_LIMIT;
	default:
		return rc > 0 ? err_from_errno(rc) : ERR_IO;
	}
}

static int env_open_tables(struct env *e, const struct env_conf *conf)
{
	unsigned flags = conf->read_only ? MDB_RDONLY : 0;
	MDB_txn *txn;
	int rc = mdb_txn_begin(e->mdb, NULL, flags, &txn);

	if (rc)
		return rc;
	for (unsigned i = 1; i <= RECORD_N_TABLES && !rc; i++)
		rc = mdb_dbi_open(
			txn, record_table_name(i), conf->create ? MDB_CREATE : 0, &e->dbi[i]);
	if (rc) {
		mdb_txn_abort(txn);
		return rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc;
	}
	return mdb_txn_commit(txn);
}

int env_open(struct env *e, const struct env_conf *conf)
{
	unsigned flags = MDB_NOTLS | MDB_NORDAHEAD | MDB_NOSUBDIR;
	int rc, dead;

	if (conf->read_only)
		flags |= MDB_RDONLY | MDB_NOLOCK;
	if (conf->private)
		flags |= MDB_NOLOCK;
	rc = mdb_env_create(&e->mdb);
	if (rc) {
		e->mdb = NULL;
		return env_err(rc);
	}
	rc = mdb_env_set_mapsize(e->mdb, conf->map_len);
	if (!rc)
		rc = mdb_env_set_maxdbs(e->mdb, RECORD_N_TABLES);
	if (!rc)
		rc = mdb_env_open(e->mdb, conf->path, flags, 0640);
	if (!rc)
		rc = env_open_tables(e, conf);
	if (!rc && !(flags & MDB_NOLOCK))
		rc = mdb_reader_check(e->mdb, &dead);
	if (rc)
		env_close(e);
	return env_err(rc);
}

void env_close(struct env *e)
{
	mdb_env_close(e->mdb);
	e->mdb = NULL;
}

size_t env_used(const struct env *e)
{
	MDB_envinfo info;
	MDB_stat stat;

	if (!e->mdb || mdb_env_info(e->mdb, &info) || mdb_env_stat(e->mdb, &stat))
		return 0;
	return (info.me_last_pgno + 1) * stat.ms_psize;
}
