// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Testing;

/// <summary>A directory of its own for one test, removed with everything in it.</summary>
public sealed class TempDirectory : IDisposable
{
    /// <summary>Creates the directory.</summary>
    public TempDirectory() => Path = Directory.CreateTempSubdirectory("overlaybd-test-").FullName;

    /// <summary>The directory's absolute path.</summary>
    public string Path { get; }

    /// <summary>The path of <paramref name="name"/> in the directory.</summary>
    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
