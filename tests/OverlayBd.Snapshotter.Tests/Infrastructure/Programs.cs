// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Tests.Infrastructure;

/// <summary>The programs of the repository as they were built together with the tests.</summary>
internal static class Programs
{
    public static string Snapshotter => PathOf("overlaybd-snapshotter");

    public static string CommandLine => PathOf("overlaybd");

    public static string Backstore => PathOf("overlaybd-backstore");

    public static string Repository => Path.GetFullPath(Path.Combine(Built, "..", ".."));

    private static string Built => Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", ".."));

    private static string PathOf(string program) => Path.Combine(
        Built, program, Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), program);
}
