// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Testing.Trees;

namespace OverlayBd.Conversion.Tests.Tar;

/// <summary>A real directory with what GNU tar can be asked to archive.</summary>
internal static class SourceTree
{
    /// <summary>Makes it with a shell, the way that keeps names as bytes.</summary>
    /// <param name="directory">Where; the tree is the subdirectory "tree".</param>
    /// <param name="simple">Only what v7 can hold.</param>
    public static async Task<string> CreateAsync(UnpackDirectory directory, bool simple)
    {
        string tree = directory["tree"];
        Directory.CreateDirectory(tree);
        string script = $$"""
            set -e; cd "$1"; umask 022
            mkdir -p dir/sub empty; echo content > dir/file; printf '' > dir/sub/none; head -c 100000 /dev/urandom > random
            ln -s ../dir/file dir/link; ln -s 'a/../b//' unclean; ln dir/file dir/sub/hard; chmod 4755 random; chmod 1777 empty; chown 12:34 dir/file
            touch -h -d @1000000000 dir/link unclean dir/file; touch -d @1500000000 random dir/sub/none
            """;
        if (!simple)
        {
            script += $$"""

                n() { printf "%0$1d" 7; }
                mkdir -p "$(n 120)/$(n 130)"; echo long > "$(n 120)/$(n 130)/$(n 255)"; ln -s "$(n 200)" longlink; ln "$(n 120)/$(n 130)/$(n 255)" longhard
                mkfifo fifo; mknod null c 1 3; mknod disk b 259 1000; chown 70000:3000000 random; touch -d @1500000000 -h fifo null disk
                echo bytes > "$(printf 'latin-\351\377')"; printf 'line' > "$(printf 'new\nline')"
                dd if=/dev/urandom of=sparse bs=4096 count=2 conv=notrunc status=none; truncate -s 64M sparse
                for i in $(seq 1 40); do dd if=/dev/urandom of=sparse bs=4096 count=1 seek=$((i * 300)) conv=notrunc status=none; done
                truncate -s 8M hole; cp --sparse=always sparse tail; printf end >> tail
                """;
        }

        await ForeignTool.RunAsync("/bin/bash", "-c", script.ReplaceLineEndings("\n"), "make-tree", tree);
        return tree;
    }
}
