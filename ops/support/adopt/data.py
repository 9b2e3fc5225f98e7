"""
Looks at Phoenix's data and copies it from one folder to another. Each is given as the file of its database. Runs in a
short-lived container of Phoenix's own image, which has Python and no shell, with both volumes mounted; the last line it
prints is JSON. Older versions of Phoenix come with older versions of Python.
"""
import hashlib
import json
import os
import shutil
import sqlite3
import stat
import sys
from urllib.parse import quote

# Exists while a copy is incomplete.
MARK = '.adopting'
# What the new folder held that the old one lacks.
KEPT = 'before-adoption.db'


def uri(file):
    """Read-only. Without a log nobody has the database open, and SQLite can open it on a read-only mount only as immutable."""
    return 'file:' + quote(file) + ('?mode=ro' if os.path.exists(file + '-wal') else '?mode=ro&immutable=1')


def opened(file):
    return sqlite3.connect(uri(file), uri=True)


def beside(file, name):
    return os.path.join(os.path.dirname(file), name)


def counts(file):
    with opened(file) as db:
        return {table: db.execute('SELECT count(*) FROM ' + table).fetchone()[0] for table in ('traces', 'spans')}


def found(new):
    return dict(counts(new), kept=os.path.exists(beside(new, KEPT)))


def check(file):
    """A damaged database is detected before anything relies on its copy."""
    with sqlite3.connect(file) as db:
        said = [row[0].replace('\n', ' ') for row in db.execute('PRAGMA quick_check')]
    if said != ['ok']:
        sys.exit('the copy of the database is damaged: ' + '; '.join(said[:3]))


# Files of a SQLite database.
ENDINGS = ('', '-wal', '-shm')
# Name of the project of a check: milliseconds since 1970.
CHECK = 'verify-' + 13 * '[0-9]'
# Tables whose row counts mean nothing: checks create and remove projects, and each login adds a token.
UNCOUNTED = ('traces', 'spans', 'projects', 'alembic_version', 'access_tokens', 'refresh_tokens', 'password_reset_tokens')
# API keys of stacks are lost with the data of a rehearsal, and are created again.
OF_PEOPLE = {'api_keys': " WHERE coalesce(description, '') NOT LIKE 'made by Pulumi stack %'"}


def missing(file, other):
    """
    How many traces and spans of a database another one lacks, and how many more rows all other tables have that both
    contain. The temporary data of checks does not count.
    """
    if not os.path.exists(file):
        return {'traces': 0, 'spans': 0, 'rows': 0}
    of_no_check = "t.project_rowid NOT IN (SELECT id FROM main.projects WHERE name GLOB '" + CHECK + "')"
    queries = {
        'traces': 'SELECT count(*) FROM main.traces t WHERE ' + of_no_check
                  + ' AND NOT EXISTS (SELECT 1 FROM other.traces o WHERE o.trace_id = t.trace_id)',
        'spans': 'SELECT count(*) FROM main.spans s JOIN main.traces t ON t.id = s.trace_rowid WHERE ' + of_no_check
                 + ' AND NOT EXISTS (SELECT 1 FROM other.spans o WHERE o.span_id = s.span_id)',
    }
    with opened(file) as db:
        db.execute('ATTACH ? AS other', (uri(other),))
        found = {name: db.execute(query).fetchone()[0] for name, query in queries.items()}
        both = db.execute("SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
                          "AND name IN (SELECT name FROM other.sqlite_master WHERE type = 'table')").fetchall()
        size = {at: {name: db.execute('SELECT count(*) FROM %s."%s"%s' % (at, name, OF_PEOPLE.get(name, ''))).fetchone()[0] for name, in both if name not in UNCOUNTED}
                for at in ('main', 'other')}
        found['rows'] = sum(max(0, rows - size['other'][name]) for name, rows in size['main'].items())
        return found


# Phoenix's own name for its database.
OWN = 'phoenix.db'


def is_own(file):
    """
    Whether the folder of a database is Phoenix's, which it is if the database has Phoenix's own name; the folder of a
    database with a custom name may hold files that are not Phoenix's.
    """
    return os.path.basename(file) == OWN


def files(old):
    if not is_own(old):
        return [old + ending for ending in ENDINGS if os.path.exists(old + ending)]
    return [os.path.join(path, name) for path, _, names in os.walk(os.path.dirname(old)) for name in names]


def measure(old):
    """Bytes of the data, and free bytes where Docker keeps its volumes, which is where it keeps the root of this container."""
    disk = os.statvfs('/')
    return dict(counts(old), bytes=sum(os.lstat(file).st_size for file in files(old)), free=disk.f_bavail * disk.f_frsize,
                defaultPassword=has_default_password(old))


def has_default_password(file):
    """Whether admin@localhost has Phoenix's default password: compute_password_hash in auth.py."""
    with opened(file) as db:
        try:
            row = db.execute("SELECT password_hash, password_salt FROM users WHERE email = 'admin@localhost'").fetchone()
        except sqlite3.OperationalError:
            # Versions before 5 have no users.
            return False
    return row is not None and None not in row and hashlib.pbkdf2_hmac('sha256', b'admin', row[1], 10000) == row[0]


def is_data(path):
    """Whether it can be copied: a socket, for example, belongs to a running process."""
    return os.path.islink(path) or stat.S_ISREG(os.lstat(path).st_mode) or os.path.isdir(path)


def copy_files(old, new, database=True):
    """Phoenix's files."""
    source, target = os.path.dirname(old), os.path.dirname(new)
    of_database = {os.path.basename(old) + ending: os.path.basename(new) + ending for ending in ENDINGS}
    names = os.listdir(source) if is_own(old) else list(of_database)
    for name in names:
        path, to = os.path.join(source, name), os.path.join(target, of_database.get(name, name))
        if name in of_database:
            if database and os.path.exists(path):
                shutil.copy2(path, to)
        elif os.path.isdir(path) and not os.path.islink(path):
            shutil.copytree(path, to, symlinks=True, ignore=lambda folder, inside: [one for one in inside if not is_data(os.path.join(folder, one))])
        elif is_data(path):
            shutil.copy2(path, to, follow_symlinks=False)


def give(new, owner):
    uid, gid = (int(part) for part in owner.split(':'))
    for path, folders, names in os.walk(os.path.dirname(new)):
        for entry in [path] + [os.path.join(path, name) for name in folders + names]:
            os.chown(entry, uid, gid, follow_symlinks=False)


def backup(file, to):
    source, target = opened(file), sqlite3.connect(to)
    source.backup(target)
    target.close()
    source.close()


def snapshot(old, new, owner):
    """While Phoenix writes: SQLite's own backup is consistent, a copy of the file is not."""
    copy_files(old, new, database=False)
    # Until it is complete it has a temporary name.
    part = new + '.part'
    backup(old, part)
    os.rename(part, new)
    check(new)
    give(new, owner)
    return counts(new)


def copy(old, new, owner):
    """Everything, replacing what `new` holds, while nobody writes to either. An interrupted copy starts again."""
    mark, kept = beside(new, MARK), beside(new, KEPT)
    if not os.path.exists(mark):
        if any(missing(new, old).values()):
            backup(new, kept)
        os.mkdir(mark)
    for name in os.listdir(os.path.dirname(new)):
        entry = beside(new, name)
        if os.path.isdir(entry) and name != MARK:
            shutil.rmtree(entry)
        elif name not in (MARK, KEPT):
            os.remove(entry)
    copy_files(old, new)
    check(new)
    give(new, owner)
    os.rmdir(mark)
    return counts(new)


task = {'found': found, 'missing': missing, 'measure': measure, 'snapshot': snapshot, 'copy': copy}[sys.argv[1]]
# A link points to the file that SQLite has open, beside which it writes.
print(json.dumps(task(*(os.path.realpath(arg) if os.path.isabs(arg) else arg for arg in sys.argv[2:]))))
