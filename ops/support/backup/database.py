"""
Copies, checks and replaces Phoenix's database. Runs in a short-lived container of Phoenix's own image, which has Python and no
shell; the last line it prints is JSON.
"""
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import sqlite3
import sys
from urllib.parse import quote

OTHERS = ('-wal', '-shm', '-journal')
# The database that a restore has replaced, until Phoenix answers with the new one.
BEFORE = 'before-restore.db'


def opened(file, mode='ro'):
    return sqlite3.connect('file:' + quote(file) + '?mode=' + mode, uri=True, timeout=30)


def room(file, bytes):
    disk = os.statvfs(os.path.dirname(file))
    free = disk.f_bavail * disk.f_frsize
    if free < bytes:
        sys.exit('it needs %d MiB and %d MiB are free on the disk of the Docker Engine' % (bytes >> 20, free >> 20))


def facts(file):
    with open(file, 'rb') as content:
        digest = hashlib.sha256()
        while chunk := content.read(1 << 20):
            digest.update(chunk)
    db = opened(file)
    try:
        said = [row[0].replace('\n', ' ') for row in db.execute('PRAGMA quick_check')]
        if said != ['ok']:
            sys.exit('the copy of the database is damaged: ' + '; '.join(said[:3]))
        found = {table: db.execute('SELECT count(*) FROM ' + table).fetchone()[0] for table in ('spans', 'traces', 'projects')}
        found['revision'] = db.execute('SELECT version_num FROM alembic_version').fetchone()[0]
        last = db.execute('SELECT t.trace_id, p.name, (SELECT count(*) FROM spans s WHERE s.trace_rowid = t.id) FROM traces t '
                          'JOIN projects p ON p.id = t.project_rowid WHERE EXISTS (SELECT 1 FROM spans s WHERE s.trace_rowid = t.id) '
                          'ORDER BY t.id DESC LIMIT 1').fetchone()
        keys = [row[0] for row in db.execute("SELECT id FROM api_keys WHERE expires_at IS NULL OR expires_at > datetime('now') ORDER BY id LIMIT 1")]
    finally:
        db.close()
    return dict(found, bytes=os.path.getsize(file), sha256=digest.hexdigest(), phoenix=importlib.metadata.version('arize-phoenix'), last=last, key=keys[0] if keys else None)


def copy(live, to):
    """While Phoenix writes. All pages in one step: with several, each write of Phoenix starts the copy again."""
    source = opened(live)
    room(to, source.execute('PRAGMA page_count').fetchone()[0] * source.execute('PRAGMA page_size').fetchone()[0])
    target = sqlite3.connect(to)
    source.backup(target)
    source.close()
    # One file: the copy is in the mode of the original, which has a log beside it.
    target.execute('PRAGMA journal_mode=DELETE')
    target.close()
    return facts(to)


def status(live, bytes, revision):
    """What the volume holds, and whether this Phoenix has the revision of a backup."""
    room(live, int(bytes))
    folder = os.path.join(os.path.dirname(importlib.util.find_spec('phoenix').origin), 'db', 'migrations', 'versions')
    known = any(('revision: str = "%s"' % revision) in open(os.path.join(folder, name), encoding='utf-8').read() for name in os.listdir(folder) if name.endswith('.py'))
    try:
        db = opened(live)
        spans = db.execute('SELECT count(*) FROM spans').fetchone()[0]
        db.close()
    except sqlite3.Error:
        # Damaged, or Phoenix is stopped: its log cannot be read without writing.
        spans = None if os.path.exists(live) else 0
    return {'known': known, 'spans': spans, 'phoenix': importlib.metadata.version('arize-phoenix')}


def pending(live):
    return {'pending': os.path.exists(before(live))}


def give(file, owner):
    os.chown(file, *(int(part) for part in owner.split(':')))


def without_log(live):
    for ending in OTHERS:
        if os.path.exists(live + ending):
            os.remove(live + ending)


def before(live):
    return os.path.join(os.path.dirname(live), BEFORE)


def replace(new, live, owner):
    """While nobody has either open. The previous database stays beside the new one, with its log."""
    drop(before(live) + '-wal')
    # The database last: while its link is there, a restore is not complete.
    for ending in ('-wal', ''):
        if os.path.exists(live + ending):
            os.link(live + ending, before(live) + ending)
    give(new, owner)
    without_log(live)
    os.replace(new, live)
    return {}


def undo(live):
    if os.path.exists(before(live)):
        without_log(live)
        if os.path.exists(before(live) + '-wal'):
            os.link(before(live) + '-wal', live + '-wal')
        os.replace(before(live), live)
    return drop(before(live) + '-wal')


def drop(file):
    if os.path.exists(file):
        os.remove(file)
    return {}


def done(live):
    drop(before(live))
    return drop(before(live) + '-wal')


def own(folder, owner):
    for path, _, names in os.walk(folder):
        for entry in [path] + [os.path.join(path, name) for name in names]:
            give(entry, owner)
    return {}


tasks = {'facts': facts, 'copy': copy, 'status': status, 'pending': pending, 'replace': replace, 'undo': undo, 'done': done, 'own': own, 'drop': drop}
try:
    print(json.dumps(tasks[sys.argv[1]](*sys.argv[2:])))
except (OSError, sqlite3.Error) as error:
    sys.exit(str(error))
