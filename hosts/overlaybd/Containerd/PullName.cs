// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.CommandLine;
using OverlayBd.Registry;

namespace OverlayBd.Cli.Containerd;

/// <summary>What an image is called in containerd: the name in full, as containerd's other clients look for it.</summary>
internal static class PullName
{
    private const string Transport = "docker://";

    /// <summary>Keeps a name that has a registry as it is written, and completes another; a missing tag is <c>latest</c>.</summary>
    /// <exception cref="UsageException">The text is not a reference to a registry.</exception>
    public static (string Name, ImageReference Reference) Parse(string text)
    {
        string bare = text.StartsWith(Transport, StringComparison.Ordinal) ? text[Transport.Length..] : text;
        try
        {
            ImageReference reference = ImageReference.Parse(bare);
            if (reference.Tag is null && reference.Digest is null)
            {
                bare += ":" + ImageReference.DefaultTag;
                reference = reference.WithTag(ImageReference.DefaultTag);
            }

            int slash = bare.IndexOf('/', StringComparison.Ordinal);
            string first = slash < 0 ? "" : bare[..slash];
            bool isFull = first == "localhost" || first.AsSpan().IndexOfAny('.', ':') >= 0;
            return (isFull ? bare : reference.ToString(), reference);
        }
        catch (FormatException e)
        {
            throw new UsageException(e.Message);
        }
    }
}
