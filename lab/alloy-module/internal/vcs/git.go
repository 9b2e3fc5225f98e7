package vcs

import (
	"context"
	"errors"
	"io/fs"
)

var errNoGit = errors.New("this build of Alloy imports nothing from Git")

type GitAuthConfig struct{}

type GitRepoOptions struct {
	Repository string
	Revision   string
	Auth       GitAuthConfig
}

type GitRepo struct{}

// NewGitRepo refuses: a Git client of its own is a hundred packages.
func NewGitRepo(context.Context, string, GitRepoOptions) (*GitRepo, error) { return nil, errNoGit }

func (*GitRepo) Update(context.Context) error          { return errNoGit }
func (*GitRepo) ReadFile(string) ([]byte, error)       { return nil, errNoGit }
func (*GitRepo) ReadDir(string) ([]fs.FileInfo, error) { return nil, errNoGit }
func (*GitRepo) Stat(string) (fs.FileInfo, error)      { return nil, errNoGit }
