"""What is written to disk, and how: one way to write, replace, lock and check.

`paths` tells a local path from a URL, `files` writes files whole or not at all, `replacement` says
what may be replaced, `locks` keeps two processes apart, `checksums` binds a chunk to its place,
`folders` makes and removes stores in one piece. A block store is filled block by block: `plan` cuts
its grid, `layout` says what it holds, `creation` makes an empty one, `writer` fills it, and
`contents` reads and surveys it.

Nothing here knows what the numbers mean.
"""
