// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.ControlApi;
using OverlayBd.Registries;

namespace OverlayBd.Cli.CommandLine;

/// <summary>The options that every verb takes.</summary>
internal static class CommonOptions
{
    public static Option<bool> Verbose { get; } = new("--verbose", "-v")
    {
        Description = "say everything, with the stack of a failure",
        Recursive = true,
    };

    public static Option<string> RunDirectory { get; } = new("--run-dir")
    {
        Description = "where sockets and device records stand",
        Recursive = true,
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("OVERLAYBD_RUN_DIR") ?? ControlApi.RunDirectory.DefaultPath,
    };

    public static Option<string> CacheDirectory { get; } = new("--cache-dir")
    {
        Description = "where fetched blocks are kept",
        Recursive = true,
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("OVERLAYBD_CACHE_DIR") ?? CacheDirectories.DefaultPath,
    };

    /// <summary>For the verbs whose answer can be JSON.</summary>
    public static Option<bool> Json { get; } = new("--json") { Description = "answer as JSON" };

    public static void AddTo(RootCommand root)
    {
        root.Options.Add(Verbose);
        root.Options.Add(RunDirectory);
        root.Options.Add(CacheDirectory);
    }

    public static RunDirectory GetRunDirectory(this ParseResult parsed) => new(parsed.GetRequiredValue(RunDirectory));

    public static string GetCacheDirectory(this ParseResult parsed) => Path.GetFullPath(parsed.GetRequiredValue(CacheDirectory));
}
