#!/bin/sh
# Stands in for https://get.pulumi.com/install.sh (pulumi/get.pulumi.com at de7ce38, dist/install.sh), and was written after it:
# the same arguments, sites, programs and exit codes, and what people see on the same streams in the same order and colours.
# Left out: what Pulumi's SDK never asks for (editing a profile, development builds, pull requests, --silent).
set -e

blue() { printf '\033[34;1m%s\033[0m\n' "$1"; }
white() { printf '\033[37;1m%s\033[0m\n' "$1"; }
green() { printf '\033[32;1m%s\033[0m\n' "$1"; }
red() { printf '\033[31;1m%s\033[0m\n' "$1"; }

farewell() {
  code=$?
  if [ "$code" -ne 0 ]; then
    { red ''; red "We're sorry, but it looks like something might have gone wrong during installation."; red 'If you need help, please join us on https://slack.pulumi.com/'; } >&2
  fi
}
trap farewell EXIT

while [ $# -gt 0 ]; do
  case "$1" in
    --version) version=$2; shift ;;
    --install-root) root=$2; shift ;;
    --no-edit-path) ;;
    *) red "error: unknown option '$1'" >&2; exit 1 ;;
  esac
  shift
done

case $(uname) in Linux) os=linux ;; Darwin) os=darwin ;; *) exit 1 ;; esac
case $(uname -m) in x86_64) arch=x64 ;; arm64 | aarch64) arch=arm64 ;; *) exit 1 ;; esac
file="pulumi-v$version-$os-$arch.tar.gz"
first="https://github.com/pulumi/pulumi/releases/download/v$version/"
second='https://get.pulumi.com/releases/sdk/'

if [ -d "$root/bin/pulumi" ]; then
  # This one error goes to stdout, there as here.
  red "error: $root/bin/pulumi already exists and is a directory, refusing to proceed."
  exit 1
fi
blue "=== Installing Pulumi $version ==="
archive=$(mktemp -t pulumi.tar.gz.XXXXXXXXXX)

fetch() {
  white "+ Downloading $first$file..."
  curl --fail -L --header "Authorization: Bearer $GITHUB_TOKEN" -o "$archive" "$first$file" && return 0
  white "+ Error encountered, falling back to $second$file..."
  curl --retry 2 --fail -L -o "$archive" "$second$file"
}

if fetch; then
  white "+ Extracting to $root/bin"
  mkdir -p "$root"
  unpacked=$(mktemp -dt pulumi.XXXXXXXXXX)
  tar zxf "$archive" -C "$unpacked"
  # Not in one step: whoever is killed here leaves half of them.
  cp -r "$unpacked/pulumi/." "$root/bin/"
  rm -f "$archive"
  rm -rf "$unpacked"
else
  { red "error: failed to download $first"; red '       check your internet and try again; if the problem persists, file an'; red '       issue at https://github.com/pulumi/pulumi/issues/new/choose'; } >&2
  exit 1
fi

blue ''
blue '=== Pulumi is now installed! 🍹 ==='
green '+ Get started with Pulumi: https://www.pulumi.com/docs/quickstart'
