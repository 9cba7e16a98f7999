// Package transfer copies files and trees between a server of SFTP and the
// local disk: what cp -r and the get and put of an sftp command need.
//
//	res, err := transfer.Get(ctx, client, []string{"logs"}, "backup", &transfer.Options{Recursive: true})
//
// Many files are under way at once on one channel, so a tree of small files
// takes about as many round trips as one of them. A download needs only OPEN,
// READ and CLOSE: servers that refuse to tell about a file still give it.
//
// What a server says about names is not believed. Everything below the target
// of a download goes through an [os.Root], names that cannot be local are
// refused, set-id bits are dropped, symbolic links are skipped or followed but
// never made, and depth and number of entries are bounded.
//
// A file counts as done when every byte has arrived, was confirmed, and the
// file is closed; one that turns out shorter than it was listed is a failure.
// Failures of single files do not stop the others: they are collected in an
// [*Error].
//
// Not here: copying from server to server, mirroring with deletion, and
// several channels for one file.
package transfer
