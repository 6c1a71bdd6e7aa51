// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace OverlayBd.Testing.Trees;

/// <summary>A directory of its own for files of every kind. Unlike <see cref="TempDirectory"/> it is removed by a tool that
/// knows names as bytes: the runtime cannot delete what it cannot decode.</summary>
public sealed class UnpackDirectory : IDisposable
{
    private readonly TempDirectory _directory = new();

    /// <summary>The directory's absolute path.</summary>
    public string Path => _directory.Path;

    /// <summary>The path of <paramref name="name"/> in the directory.</summary>
    public string this[string name] => _directory[name];

    /// <inheritdoc/>
    public void Dispose()
    {
        using (Process remove = Process.Start("rm", ["-rf", "--one-file-system", "--", Path]))
        {
            remove.WaitForExit();
        }

        Directory.CreateDirectory(Path);
        _directory.Dispose();
    }
}
