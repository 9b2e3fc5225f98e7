"""
The credentials for a Phoenix that requires login. Runs in its own container, before the script that needs them.
"""
import base64
import hashlib
import hmac
import json
import os
import re
import sqlite3
import urllib.error
import urllib.parse
import urllib.request

PROCESSES = '/proc'


def environment():
    """
    As Phoenix sees it: its entry point may have read a file into a variable, which Docker does not know.
    """
    for process in sorted(filter(str.isdigit, os.listdir(PROCESSES)), key=int):
        try:
            with open(os.path.join(PROCESSES, process, 'environ'), 'rb') as file:
                pairs = file.read().decode(errors='replace').split('\0')
        except OSError:
            # Somebody else's, or ended by now.
            continue
        found = dict(pair.split('=', 1) for pair in pairs if '=' in pair)
        if found.get('PHOENIX_SECRET'):
            return found
    return dict(os.environ)


def keys(db):
    """IDs of API keys that may send."""
    return [row[0] for row in db.execute(
        "SELECT k.id FROM api_keys k JOIN users u ON u.id = k.user_id JOIN user_roles r ON r.id = u.user_role_id "
        "WHERE r.name <> 'VIEWER' AND (k.expires_at IS NULL OR k.expires_at > datetime('now')) ORDER BY k.id DESC LIMIT 20")]


def opened(file):
    return sqlite3.connect('file:' + urllib.parse.quote(file) + '?mode=ro', uri=True, timeout=30)


def signed(secret, claims):
    """A JSON Web Token, as Phoenix issues it: Phoenix does not store tokens, and recognizes its own signature."""
    def part(content):
        return base64.urlsafe_b64encode(content).rstrip(b'=')
    text = part(b'{"alg":"HS256"}') + b'.' + part(json.dumps(claims).encode())
    return (text + b'.' + part(hmac.new(secret.encode(), text, hashlib.sha256).digest())).decode()


def tokens(file):
    """Its credentials, as found in its environment and its database."""
    told = {name: value.strip() for name, value in environment().items()}
    # For any other, the error would quote the header.
    if re.fullmatch('[!-~]+', told.get('PHOENIX_ADMIN_SECRET', '')):
        yield told['PHOENIX_ADMIN_SECRET']
    db = opened(file)
    try:
        for key in keys(db):
            yield signed(told.get('PHOENIX_SECRET', ''), {'jti': 'ApiKey:%d' % key})
    finally:
        db.close()


def ask(method, port, path, body=None, token=None):
    headers = dict({'content-type': 'application/x-protobuf'} if body else {}, **({'authorization': 'Bearer ' + token} if token else {}))
    request = urllib.request.Request('http://127.0.0.1:' + port + path, data=body, headers=headers, method=method)
    return urllib.request.urlopen(request, timeout=30)
