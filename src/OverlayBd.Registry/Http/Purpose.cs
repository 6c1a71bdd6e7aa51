// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Http;

/// <summary>What a request is for, as messages say it: "Cannot read blob sha256:… of registry.example/app".</summary>
internal readonly record struct Purpose(string Verb, string Subject, string Repository)
{
    /// <summary>The registry's name, which is what stands before the repository's.</summary>
    public string Registry => Repository.IndexOf('/') is int end and >= 0 ? Repository[..end] : Repository;

    public override string ToString() => $"Cannot {Verb} {Subject} of {Repository}";
}
